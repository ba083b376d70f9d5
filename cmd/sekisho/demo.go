package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/daemon"
	"sekisho/radius/radiustest"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "show it all on loopback: a fake AAA, a fake router, the ASAHI Net policy and a dozen contracts",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "where the proxy takes Access-Requests; port 0 is any free one", Value: "127.0.0.1:0"},
			&cli.StringFlag{Name: "clock", Usage: "begin at this `TIME` for the policy instead of now, such as 2007-05-14"},
			langFlag(),
			&cli.BoolFlag{Name: "once", Usage: "end after the table"},
			&cli.BoolFlag{Name: "debug", Aliases: []string{"X"}, Usage: "write every packet's way to stdout, secrets masked"},
		},
		Action: demo,
	}
}

// The secrets of the demo; the two sides differ, as they do in the field.
const (
	demoNASSecret = "demo-nas-secret-not-for-the-field"
	demoAAASecret = "demo-aaa-secret-not-for-the-field"
	demoPassword  = "himitsu"
)

// demoContracts are subscribers of the notice, one for each thing it says.
const demoContracts = `account,course,address,options
uf234at567c,Bフレッツファミリー,,fixed-ip
uf100bf001a,Bフレッツファミリー,,
uf200bb002b,Bフレッツベーシック,fixed,
uf300hw003c,光 with フレッツホーム,,
ut400te004d,TEPCOひかりホーム,,
ut500tm005e,TEPCOひかりマンションコース,,
ua600at006f,ADSLトーカー,,
ua700aa007g,ADSLアッカコース(12M),,
ua800ea008h,ライトADSLイーアクセス,,
ua900cw009i,超割ADSL(IP電話対応),,
um100ae010j,AIR-EDGE,,
ux200zz011k,ケーブルインターネット,,
`

// demoLogins are who dials in: an account, with f. for the fixed-IP login.
var demoLogins = []string{
	"f.uf234at567c", "uf234at567c", "f.uf100bf001a", "uf200bb002b", "f.uf300hw003c", "uf300hw003c",
	"ut400te004d", "f.ut400te004d", "ut500tm005e", "ua600at006f", "ua700aa007g", "ua800ea008h", "ua900cw009i",
	"um100ae010j", "ux200zz011k", "uz999no012l",
}

const demoRealm = "@atson.net"

// show is the demo while it runs.
type show struct {
	dir    string
	aaa    *radiustest.AAA
	daemon *daemon.Daemon
	conf   *config.Config
	lang   string
}

func demo(c *cli.Context) (err error) {
	s := &show{lang: c.String("lang")}
	defer func() { s.close() }()
	if err := s.start(c); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := s.logins(c.App.Writer); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	s.invite(c.App.Writer)
	if c.Bool("once") {
		return nil
	}
	ctx, cancel := signal.NotifyContext(c.Context, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	<-ctx.Done()
	return nil
}

func (s *show) start(c *cli.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "sekisho-demo-"); err != nil {
		return err
	}
	users := map[string]radiustest.User{}
	for _, login := range demoLogins {
		users[login+demoRealm] = radiustest.User{Password: demoPassword, Attributes: demoAccept(len(users))}
	}
	if s.aaa, err = radiustest.NewAAA(demoAAASecret, radiustest.Users(users)); err != nil {
		return err
	}
	conf, problems := config.Parse(filepath.Join(s.dir, "sekisho.yaml"), []byte(s.site(c.String("listen"))))
	if err := problems.Err(); err != nil {
		return err
	}
	s.conf = conf
	options, err := s.options(c)
	if err != nil {
		return err
	}
	if s.daemon, err = daemon.Start(conf, options); err != nil {
		return err
	}
	_, err = admin.Dial(conf.Socket).ImportContracts(c.Context, "demo.csv", strings.NewReader(demoContracts), admin.ImportOptions{})
	return err
}

func (s *show) options(c *cli.Context) (daemon.Options, error) {
	o := daemon.Options{Version: version(), Log: slog.New(slog.NewTextHandler(c.App.ErrWriter, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if c.Bool("debug") {
		o.Debug = c.App.Writer
	}
	start, err := instant(c, "clock", s.conf.Policy.Location)
	if err == nil && !start.IsZero() {
		o.Clock = daemon.Rehearsal(start)
	}
	return o, err
}

// demoAccept is what the AAA says of its n-th subscriber.
func demoAccept(n int) []radiustest.Attribute {
	return []radiustest.Attribute{
		radiustest.Number(6, 2),                    // Service-Type Framed-User
		radiustest.Number(7, 1),                    // Framed-Protocol PPP
		radiustest.Number(8, 0xcb007100+uint32(n)), // Framed-IP-Address in 203.0.113.0/24
	}
}

// site is the demo's site file, such as an operator would write.
func (s *show) site(listen string) string {
	return fmt.Sprintf(`listen: {auth: [%q], acct: ["127.0.0.1:0"]}
admin: {socket: %s/admin.sock}
store: {path: %s/sekisho.db}
policy: asahi-net
nas:
  bras-tokyo: {source: 127.0.0.1, secret: %s, area: tokyo, profile: filter-id}
aaa:
  servers:
    home: {address: 127.0.0.1, auth-port: %d, acct-port: %d, secret: %s}
  pools:
    main: {servers: [home]}
  realms:
    "*": main
`, listen, s.dir, s.dir, demoNASSecret, s.aaa.Addr.Port(), s.aaa.Addr.Port(), demoAAASecret)
}

// logins dials every subscriber in and prints what the router was told.
func (s *show) logins(w io.Writer) error {
	auth, _ := s.daemon.Addresses()
	nas, err := radiustest.NewNAS(netip.MustParseAddrPort(auth[0]), demoNASSecret)
	if err != nil {
		return err
	}
	defer nas.Close()
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"login", "course", "options", "port 25", "Filter-Id sent", "rule"})
	for _, login := range demoLogins {
		row, err := s.login(nas, login+demoRealm)
		if err != nil {
			return fmt.Errorf("logging in %s: %w", login, err)
		}
		t.AppendRow(row)
	}
	now := s.daemon.Status().Clock.In(s.conf.Policy.Location).Format("2006-01-02 15:04 MST")
	fmt.Fprintf(w, "Subscribers dial in at %s by the shipped policy %s:\n\n%s\n\n", now, s.conf.Policy.Name, t.Render())
	return s.reasons(w)
}

// reasons explains the rules that the table names.
func (s *show) reasons(w io.Writer) error {
	for _, rule := range s.conf.Policy.Rules {
		why := say(admin.Text(rule.Because), s.lang)
		if _, err := fmt.Fprintf(w, "  %-16s %s\n", rule.Name, why); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "  %-16s %s\n  %-16s %s\n\n", "otherwise", "No rule covers the session.", "unknown-contract", "The account has no contract here.")
	return err
}

func (s *show) login(nas *radiustest.NAS, user string) (table.Row, error) {
	request := nas.Request(radiustest.AccessRequest, radiustest.PAP(user, demoPassword, radiustest.MA(), radiustest.Number(61, 5))...)
	reply, err := nas.Exchange(request, 3*time.Second)
	if err != nil {
		return nil, err
	}
	if reply.Code != radiustest.AccessAccept {
		return nil, fmt.Errorf("got code %d, expected an Access-Accept", reply.Code)
	}
	e, err := s.daemon.Explain(admin.Question{User: user})
	if err != nil {
		return nil, err
	}
	course, options := "(no contract)", ""
	if e.Contract != nil {
		course, options = e.Contract.Course, strings.Join(e.Contract.Options, " ")
	}
	a := e.Answers[0]
	return table.Row{user, course, options, a.Action, reply.Value(radiustest.FilterID), a.Rule}, nil
}

// invite prints what to type next.
func (s *show) invite(w io.Writer) {
	auth, _ := s.daemon.Addresses()
	fmt.Fprintf(w, `It goes on running; end it with Ctrl-C. In another terminal:

  echo 'User-Name = "ut400te004d%s", User-Password = "%s"' | radclient -x %s auth %s
  %s --socket %s explain f.ut400te004d%s
  %s --socket %s grant ut400te004d%s --until tomorrow --reason "a try"
  %s --socket %s contracts list
`, demoRealm, demoPassword, auth[0], demoNASSecret, os.Args[0], s.conf.Socket, demoRealm, os.Args[0], s.conf.Socket, demoRealm,
		os.Args[0], s.conf.Socket)
}

func (s *show) close() {
	if s.daemon != nil {
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		_ = s.daemon.Shutdown(ctx) // the demo's own files go anyway
	}
	if s.aaa != nil {
		s.aaa.Close()
	}
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}

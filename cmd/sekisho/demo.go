package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/daemon"
	"sekisho/radius/radiustest"

	"github.com/urfave/cli/v2"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "show it all on loopback: logins, a stage that begins for live sessions, a grant",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "where the proxy takes Access-Requests; port 0 is any free one", Value: "127.0.0.1:0"},
			&cli.StringFlag{Name: "clock", Usage: "only the logins, at this `TIME` for the policy, such as 2007-05-14, without the night in which a stage begins"},
			langFlag(),
			&cli.BoolFlag{Name: "once", Usage: "end when everything was shown"},
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

// show is the demo while it runs.
type show struct {
	*cli.Context
	ctx    context.Context // ends when the viewer has seen enough
	dir    string
	aaa    *radiustest.AAA
	lines  *demoLines
	daemon *daemon.Daemon
	conf   *config.Config
	clock  *showClock
}

func demo(c *cli.Context) error {
	ctx, cancel := signal.NotifyContext(c.Context, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	s := &show{Context: c, ctx: ctx}
	defer func() { s.close() }()
	switch err := s.all(); {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("demo: %w", err)
	}
	if !c.Bool("once") {
		<-ctx.Done()
	}
	return nil
}

func (s *show) all() error {
	if err := s.start(); err != nil {
		return err
	}
	if err := s.logins(); err != nil {
		return err
	}
	if !s.IsSet("clock") {
		if err := s.night(); err != nil {
			return err
		}
	}
	s.invite()
	return nil
}

func (s *show) start() (err error) {
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
	if s.lines, err = newDemoLines(); err != nil {
		return err
	}
	conf, problems := config.Parse(filepath.Join(s.dir, "sekisho.yaml"), []byte(s.site(s.String("listen"))))
	if err := problems.Err(); err != nil {
		return err
	}
	s.conf = conf
	options, err := s.options()
	if err != nil {
		return err
	}
	if s.daemon, err = daemon.Start(conf, options); err != nil {
		return err
	}
	_, err = admin.Dial(conf.Socket).ImportContracts(s.ctx, "demo.csv", strings.NewReader(demoContracts), admin.ImportOptions{})
	return err
}

func (s *show) options() (daemon.Options, error) {
	o := daemon.Options{Version: version(), Log: slog.New(slog.NewTextHandler(s.App.ErrWriter, &slog.HandlerOptions{Level: slog.LevelError}))}
	if s.Bool("debug") {
		o.Debug = s.App.Writer
	}
	start, err := instant(s.Context, "clock", s.conf.Policy.Location)
	if start.IsZero() {
		start = eve
	}
	s.clock = newShowClock(start)
	o.Clock = s.clock.now
	return o, err
}

// site is the demo's site file, such as an operator would write.
func (s *show) site(listen string) string {
	return fmt.Sprintf(`listen: {auth: [%q], acct: ["127.0.0.1:0"]}
admin: {socket: %s/admin.sock}
store: {path: %s/sekisho.db}
policy: asahi-net
nas:
  bras-tokyo: {source: 127.0.0.1, secret: %s, area: tokyo, profile: filter-id, coa: {port: %d}}
profiles:
  filter-id: {base: filter-id, open-filter: op25b-open}
aaa:
  servers:
    home: {address: 127.0.0.1, auth-port: %d, acct-port: %d, secret: %s}
  pools:
    main: {servers: [home]}
  realms:
    "*": main
`, listen, s.dir, s.dir, demoNASSecret, s.lines.router.Addr.Port(), s.aaa.Addr.Port(), s.aaa.Addr.Port(), demoAAASecret)
}

// invite prints what to type next.
func (s *show) invite() {
	auth, _ := s.daemon.Addresses()
	fmt.Fprintf(s.App.Writer, `It goes on running; end it with Ctrl-C. In another terminal:

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
	if s.lines != nil {
		s.lines.router.Close()
	}
	if s.aaa != nil {
		s.aaa.Close()
	}
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}

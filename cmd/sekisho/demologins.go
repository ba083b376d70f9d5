package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/radius/radiustest"

	"github.com/jedib0t/go-pretty/v6/table"
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

// demoAccept is what the AAA says of its n-th subscriber.
func demoAccept(n int) []radiustest.Attribute {
	return []radiustest.Attribute{
		radiustest.Number(6, 2),                    // Service-Type Framed-User
		radiustest.Number(7, 1),                    // Framed-Protocol PPP
		radiustest.Number(8, 0xcb007100+uint32(n)), // Framed-IP-Address in 203.0.113.0/24
	}
}

// logins dials every subscriber in and prints what the router was told.
func (s *show) logins() error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"login", "course", "options", "port 25", "Filter-Id sent", "rule"})
	var rules []string
	for i, login := range demoLogins {
		row, err := s.login(i, login+demoRealm)
		if err != nil {
			return fmt.Errorf("logging in %s: %w", login, err)
		}
		t.AppendRow(row)
		rules = append(rules, row[len(row)-1].(string))
	}
	now := s.clock.now().In(s.conf.Policy.Location).Format("2006-01-02 15:04 MST")
	fmt.Fprintf(s.App.Writer, "Subscribers dial in at %s by the shipped policy %s:\n\n%s\n\n", now, s.conf.Policy.Name, t.Render())
	s.reasons(rules)
	return nil
}

// reasons explains the rules that the table names.
func (s *show) reasons(rules []string) {
	why := map[string]string{"otherwise": "No rule covers the session.", "unknown-contract": "The account has no contract here."}
	order := []string{}
	for _, rule := range s.conf.Policy.Rules {
		why[rule.Name] = say(admin.Text(rule.Because), s.String("lang"))
		order = append(order, rule.Name)
	}
	for _, rule := range append(order, "otherwise", "unknown-contract") {
		if slices.Contains(rules, rule) {
			fmt.Fprintf(s.App.Writer, "  %-16s %s\n", rule, why[rule])
		}
	}
	fmt.Fprintln(s.App.Writer)
}

// login dials one subscriber in, brings the session up at the router, and makes
// the row of the table.
func (s *show) login(i int, user string) (table.Row, error) {
	auth, acct := s.daemon.Addresses()
	reply, err := exchange(auth[0], func(nas *radiustest.NAS) []byte {
		return nas.Request(radiustest.AccessRequest, radiustest.PAP(user, demoPassword, radiustest.MA(), radiustest.Number(61, 5))...)
	})
	if err != nil {
		return nil, err
	}
	if reply.Code != radiustest.AccessAccept {
		return nil, fmt.Errorf("got code %d, expected an Access-Accept", reply.Code)
	}
	start := s.lines.open(user, reply.Value(radiustest.FilterID))
	if _, err := exchange(acct[0], func(nas *radiustest.NAS) []byte {
		return nas.Request(radiustest.AccountingRequest, append(start, demoAccept(i)...)...)
	}); err != nil {
		return nil, err
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

// exchange sends one request from the demo's router.
func exchange(to string, request func(*radiustest.NAS) []byte) (*radiustest.Packet, error) {
	nas, err := radiustest.NewNAS(netip.MustParseAddrPort(to), demoNASSecret)
	if err != nil {
		return nil, err
	}
	defer nas.Close()
	return nas.Exchange(request(nas), 3*time.Second)
}

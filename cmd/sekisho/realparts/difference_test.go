//go:build realparts

package realparts

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

var (
	differenceSeed  = flag.Uint64("difference-seed", 1, "of the random packets of TestDifferences")
	differenceCount = flag.Int("difference-count", 400, "how many random packets TestDifferences sends")
)

// blockAllPolicy filters everybody, as the FreeRADIUS beside sekisho does.
const blockAllPolicy = `policy: block-all
timezone: Asia/Tokyo
logins:
  - {match: "{account}@atson.net", form: plain}
courses:
  all: {name: All}
actions:
  open:  {}
  block: {filter: op25b}
rules:
  - {name: all, when: {course: all}, then: block}
otherwise: block
unknown-contract: block
`

// A side is one of the two proxies with its own recording AAA server.
type side struct {
	name       string
	auth, acct *radiustest.NAS
	homes      map[byte]*radiustest.AAA // by code of request
}

// What a side made of a request: what its AAA server saw and what the NAS got, nil
// where nothing came.
type made struct {
	request *radiustest.Request
	answer  *radiustest.Packet
	octets  []byte // of the answer
}

// TestDifferences sends random valid packets through sekisho and through FreeRADIUS
// with the same job. sekisho changes nothing but what docs/wire.md says; what
// FreeRADIUS does otherwise is on the list of differences there.
func TestDifferences(t *testing.T) {
	Need(t, wireParts()...)
	t.Logf("-difference-seed=%d -difference-count=%d", *differenceSeed, *differenceCount)
	ours, theirs := bothSides(t)
	r := &report{counts: map[string]int{}}
	var refused []trial
	for serial := 0; serial < *differenceCount && len(r.failures) < 4; serial++ {
		c := newTrial(serial, ours)
		c.ours = ours.pass(c.code, c.octets, answerDeadline)
		if !r.transparent(&c) {
			continue
		}
		if why := c.refusal(); why != "" {
			r.counts[why]++
			refused = append(refused, c)
			continue
		}
		c.theirs = theirs.pass(c.code, c.octets, answerDeadline)
		r.compare(&c)
	}
	r.refusals(theirs, refused)
	r.silence(ours, theirs)
	for _, failure := range r.failures {
		t.Error(failure)
	}
	for _, name := range slices.Sorted(maps.Keys(r.counts)) {
		t.Logf("%4d %s", r.counts[name], name)
	}
	r.expectListed(t)
}

// bothSides starts both proxies.
func bothSides(t *testing.T) (ours, theirs *side) {
	t.Helper()
	n := NewNetns(t, "room")
	site := newSite(WriteFile(t, WorkDir(t, "policy"), "block-all.yaml", blockAllPolicy), tokyo)
	site.LogLevel = "info"
	ours = newSide(t, n, "sekisho", sekishoAuthPort, sekishoAcctPort, aaaAuthPort, aaaAcctPort)
	NewSekisho(t, n, site).Serve(t, afterStage2)
	theirs = newSide(t, n, "FreeRADIUS", proxyAuthPort, proxyAcctPort, secondAuthPort, secondAcctPort)
	StartFreeRADIUSProxy(t, n, ProxyConfig{
		AuthPort: proxyAuthPort, AcctPort: proxyAcctPort, Secret: nasSecret,
		HomeAuthPort: secondAuthPort, HomeAcctPort: secondAcctPort, HomeSecret: aaaSecret, Filter: filter,
	})
	return ours, theirs
}

func newSide(t *testing.T, n *Netns, name string, auth, acct, homeAuth, homeAcct int) *side {
	t.Helper()
	s := &side{
		name: name, auth: GoNAS(t, n, auth, nasSecret), acct: GoNAS(t, n, acct, nasSecret),
		homes: map[byte]*radiustest.AAA{},
	}
	for code, port := range map[byte]int{codeAccessRequest: homeAuth, codeAcctRequest: homeAcct} {
		err := n.Do(func() (err error) {
			s.homes[code], err = radiustest.NewAAAAt(loopback(port), aaaSecret, answerAtRandom)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.homes[code].Close)
	}
	return s
}

// answerAtRandom answers a request by its serial.
func answerAtRandom(r *radiustest.Request) [][]byte {
	var serial int
	if _, err := fmt.Sscanf(r.Value(radiustest.UserName), "u%d@", &serial); err != nil {
		return nil
	}
	g := newGenerator(*differenceSeed, serial, 1)
	code, attributes := g.answer(r)
	answer := &radiustest.Packet{Code: code, ID: r.ID, Attributes: attributes}
	if has(attributes, radiustest.EAPMessage) || g.chance(60) && code != codeAcctResponse {
		answer.Attributes = slices.Insert(answer.Attributes, g.IntN(len(answer.Attributes)+1), radiustest.MA())
	}
	for _, state := range r.Values(radiustest.ProxyState) {
		answer.Attributes = append(answer.Attributes, radiustest.Attribute{Type: radiustest.ProxyState, Value: state})
	}
	return [][]byte{r.Sign(answer)}
}

// A trial is one random request and what became of it.
type trial struct {
	serial       int
	code         byte
	sent         []radiustest.Attribute // a User-Password in clear
	octets       []byte
	ours, theirs made
}

func newTrial(serial int, s *side) trial {
	code, attributes := newGenerator(*differenceSeed, serial, 0).request(serial)
	return trial{serial: serial, code: code, sent: attributes, octets: s.nas(code).Request(code, attributes...)}
}

func (s *side) nas(code byte) *radiustest.NAS {
	if code == codeAcctRequest {
		return s.acct
	}
	return s.auth
}

// pass sends a request through one side.
func (s *side) pass(code byte, octets []byte, patience time.Duration) (m made) {
	home := s.homes[code]
	before := len(home.Seen())
	m.answer, m.octets = s.ask(code, octets, patience)
	if seen := home.Seen(); len(seen) > before {
		m.request = seen[len(seen)-1]
	}
	return m
}

// ask sends a request once and takes its answer, leaving late ones to others alone.
func (s *side) ask(code byte, request []byte, patience time.Duration) (*radiustest.Packet, []byte) {
	nas := s.nas(code)
	if nas.Send(request) != nil {
		return nil, nil
	}
	for end := time.Now().Add(patience); ; {
		octets, err := nas.Receive(time.Until(end))
		if err != nil {
			return nil, nil
		}
		if answer := authentic(request, octets); answer != nil {
			return answer, octets
		}
	}
}

// authentic takes an answer apart if it is one to the request and both authenticators
// are right, wherever the Message-Authenticator stands.
func authentic(request, octets []byte) *radiustest.Packet {
	p, err := radiustest.Decode(octets)
	secret, seed := []byte(nasSecret), request[4:20]
	if err != nil || p.ID != request[1] || !radiustest.CheckSign(octets, seed, secret) ||
		has(p.Attributes, attrMessageAuthenticator) && !radiustest.CheckMA(octets, seed, secret) {
		return nil
	}
	return p
}

// A report is what a run has found.
type report struct {
	counts   map[string]int // of each class of difference
	failures []string
}

func (r *report) fail(c *trial, format string, args ...any) bool {
	r.failures = append(r.failures, fmt.Sprintf("packet %d: ", c.serial)+fmt.Sprintf(format, args...))
	return false
}

// transparent wants sekisho to have changed what docs/wire.md says and nothing else.
func (r *report) transparent(c *trial) bool {
	if c.ours.request == nil || c.ours.answer == nil {
		return r.fail(c, "sekisho did not pass %x", c.octets)
	}
	if err := c.ours.request.Check(); err != nil {
		return r.fail(c, "sekisho's request: %v", err)
	}
	want := hopless(c.clearSent())
	if c.code == codeAccessRequest && has(c.sent, radiustest.CHAPPassword) && !has(c.sent, radiustest.CHAPChallenge) {
		want = append(want, radiustest.Attribute{Type: radiustest.CHAPChallenge, Value: c.octets[4:20]})
	}
	if got := hopless(c.clearRequest(c.ours.request)); !sameList(got, want) {
		return r.fail(c, "to the AAA server: want\n %s\ngot\n %s", diff(want, got), diff(got, want))
	}
	code, answer := newGenerator(*differenceSeed, c.serial, 1).answer(c.ours.request)
	want = hopless(keying{aaaSecret, c.ours.request.Authenticator[:]}.revealed(answer))
	if code == codeAccessAccept && !has(want, attrTunnelServerEndpoint) {
		want = append(without(want, radiustest.FilterID), radiustest.Attr(radiustest.FilterID, filter))
	}
	if c.code == codeAccessRequest && at(c.ours.answer.Attributes, attrMessageAuthenticator) != 0 {
		return r.fail(c, "sekisho's answer does not begin with a Message-Authenticator: %x", c.ours.octets)
	}
	if got := hopless(c.clearAnswer(c.ours.answer)); c.ours.answer.Code != code || !sameList(got, want) {
		return r.fail(c, "to the NAS: want code %d\n %s\ngot %d\n %s", code, diff(want, got), c.ours.answer.Code, diff(got, want))
	}
	return r.states(c, c.ours, "sekisho")
}

// states wants the Proxy-States of the NAS and one more at the AAA server, and those of
// the NAS at the NAS.
func (r *report) states(c *trial, m made, who string) bool {
	want := (&radiustest.Packet{Attributes: c.sent}).Values(attrProxyState)
	there, back := m.request.Values(attrProxyState), m.answer.Values(attrProxyState)
	if len(there) != len(want)+1 || !sameOctets(there[:len(want)], want) {
		return r.fail(c, "%s: Proxy-States at the AAA server: want %x and one more, got %x", who, want, there)
	}
	if !sameOctets(back, want) {
		return r.fail(c, "%s: Proxy-States at the NAS: want %x, got %x", who, want, back)
	}
	return true
}

// clearSent are the attributes of the request with the padding that hiding gives.
func (c *trial) clearSent() []radiustest.Attribute {
	k := keying{nasSecret, c.octets[4:20]}
	packet, _ := radiustest.Decode(c.octets) // made by this test
	return k.revealed(packet.Attributes)
}

func (c *trial) clearRequest(r *radiustest.Request) []radiustest.Attribute {
	return keying{aaaSecret, r.Authenticator[:]}.revealed(r.Attributes)
}

func (c *trial) clearAnswer(p *radiustest.Packet) []radiustest.Attribute {
	return keying{nasSecret, c.octets[4:20]}.revealed(p.Attributes)
}

// hopless leaves out the attributes that belong to one hop.
func hopless(list []radiustest.Attribute) []radiustest.Attribute {
	return slices.DeleteFunc(slices.Clone(list), func(a radiustest.Attribute) bool {
		return a.Type == radiustest.MessageAuthenticator || a.Type == radiustest.ProxyState
	})
}

func same(a, b radiustest.Attribute) bool { return a.Type == b.Type && bytes.Equal(a.Value, b.Value) }

func sameList(a, b []radiustest.Attribute) bool { return slices.EqualFunc(a, b, same) }

// diff shows a list, with the values only of what the other has not got.
func diff(list, other []radiustest.Attribute) string {
	var words []string
	for _, a := range list {
		word := fmt.Sprint(a.Type)
		if !slices.ContainsFunc(other, func(b radiustest.Attribute) bool { return same(a, b) }) {
			word = fmt.Sprintf("%d[%d]:%.80x", a.Type, len(a.Value), a.Value)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// compare explains how FreeRADIUS's way with a packet differs from sekisho's.
func (r *report) compare(c *trial) {
	if c.theirs.request == nil || c.theirs.answer == nil {
		r.fail(c, "FreeRADIUS did not pass %s", diff(c.sent, nil))
		return
	}
	r.states(c, c.theirs, "FreeRADIUS")
	r.hops(c)
	r.explain(c, "at the AAA server", c.clearRequest(c.ours.request), c.clearRequest(c.theirs.request))
	r.explain(c, "at the NAS", c.clearAnswer(c.ours.answer), c.clearAnswer(c.theirs.answer))
	if c.ours.answer.Code != c.theirs.answer.Code {
		r.fail(c, "code %d to the NAS, FreeRADIUS %d", c.ours.answer.Code, c.theirs.answer.Code)
	}
}

// hops counts what belongs to one hop and is elsewhere or not there at all.
func (r *report) hops(c *trial) {
	if c.code != codeAccessRequest {
		return
	}
	switch at(c.theirs.request.Attributes, radiustest.MessageAuthenticator) {
	case 0:
	case len(c.theirs.request.Attributes) - 1, -1:
		r.fail(c, "FreeRADIUS has no Message-Authenticator before its Proxy-State")
	default:
		r.counts[movesMARequest]++
	}
	switch at(c.theirs.answer.Attributes, radiustest.MessageAuthenticator) {
	case 0:
	case -1:
		r.counts[lacksMAAnswer]++
	default:
		r.counts[movesMAAnswer]++
	}
	ours, theirs := c.ours.request.Values(attrProxyState), c.theirs.request.Values(attrProxyState)
	if len(theirs[len(theirs)-1]) != len(ours[len(ours)-1]) {
		r.counts[otherProxyState]++
	}
	if last := c.theirs.request.Attributes[len(c.theirs.request.Attributes)-1]; last.Type != attrProxyState {
		r.fail(c, "FreeRADIUS's own Proxy-State is not last: %s", diff(c.theirs.request.Attributes, nil))
	}
}

// at is the place of the first attribute of a type.
func at(list []radiustest.Attribute, typ byte) int {
	return slices.IndexFunc(list, func(a radiustest.Attribute) bool { return a.Type == typ })
}

// explain wants two lists to be the same but for the classes of difference, and counts
// those without which they would not be.
func (r *report) explain(c *trial, where string, ours, theirs []radiustest.Attribute) {
	ours, theirs = hopless(ours), hopless(theirs)
	a, b := leveled(ours, ""), leveled(theirs, "")
	if !sameList(a, b) {
		r.fail(c, "no difference on the list explains what is %s: from sekisho\n %s\nfrom FreeRADIUS\n %s", where, diff(a, b), diff(b, a))
		return
	}
	for _, d := range differences {
		if !sameList(leveled(ours, d.name), leveled(theirs, d.name)) {
			r.counts[d.name]++
		}
	}
}

// leveled takes all differences out of a list, but one.
func leveled(list []radiustest.Attribute, but string) []radiustest.Attribute {
	for _, d := range differences {
		if d.name != but {
			list = d.level(list)
		}
	}
	return list
}

// refusals wants FreeRADIUS not to pass what is on the list as refused; a few of each.
func (r *report) refusals(theirs *side, refused []trial) {
	tried := map[string]int{}
	for _, c := range refused {
		why := c.refusal()
		if tried[why]++; tried[why] > 3 {
			continue
		}
		if m := theirs.pass(c.code, c.octets, 300*time.Millisecond); m.answer != nil && m.request != nil {
			r.fail(&c, "FreeRADIUS passed what the list calls %q", why)
		}
	}
}

// silence asks both sides for a user whom the AAA servers leave without an answer.
func (r *report) silence(ours, theirs *side) {
	c := trial{serial: -1, code: codeAccessRequest}
	c.octets = ours.auth.Request(codeAccessRequest, append(radiustest.PAP("silence@atson.net", "x"), tokyoNAS)...)
	if err := ours.auth.Send(c.octets); err != nil {
		r.fail(&c, "%v", err)
		return
	}
	c.theirs = theirs.pass(c.code, c.octets, 2*answerDeadline)
	if c.theirs.answer != nil && c.theirs.answer.Code == codeAccessReject {
		r.counts[inventsReject]++
	}
	if octets, err := ours.auth.Receive(100 * time.Millisecond); err == nil {
		r.fail(&c, "the AAA server kept silent and sekisho answered %x", octets)
	}
}

// expectListed wants every class of difference to have been met, and docs/wire.md to
// have it word for word.
func (r *report) expectListed(t *testing.T) {
	t.Helper()
	page, err := os.ReadFile("../../../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "\n## Differences from FreeRADIUS\n")
	list = strings.Join(strings.Fields(list), " ")
	for _, name := range classes() {
		if r.counts[name] == 0 {
			t.Errorf("no packet showed the difference %q", name)
		}
		if !strings.Contains(list, name) {
			t.Errorf("docs/wire.md does not list the difference %q", name)
		}
	}
}

// refusal names the class of difference by which FreeRADIUS does not pass a packet,
// empty when it does.
func (c *trial) refusal() string {
	for _, list := range [][]radiustest.Attribute{c.ours.request.Attributes, c.ours.answer.Attributes} {
		for _, a := range list {
			switch {
			case a.Type >= 241 && a.Type <= 246 && len(a.Value) > 0 && a.Value[0] == 26:
				return refusesExtendedVendor
			case a.Type >= 245 && a.Type <= 246:
				return refusesLong
			}
		}
	}
	return ""
}

package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// ofAProbe is what differs from one probe to another.
var ofAProbe = append([]difference{{regexp.MustCompile(`after \d+m?s`), "after 1ms"}, {regexp.MustCompile(`\S*/desk\d+`), "DIR"}}, changing...)

// TestProbeOfARouter probes the router of the office with the one session that
// is up there.
func TestProbeOfARouter(t *testing.T) {
	o := openOffice(t, "2007-05-16T10:00:30+09:00")
	o.online(t, deskOsaka, "ua700aa007g@atson.net")
	var page strings.Builder
	for _, line := range []string{
		"bras-osaka",
		"bras-osaka --user ua700aa007g --session 0000001A",
		"bras-osaka --session 0000001B",
		"bras-osaka --user ua800ea008h",
		"bras-tokyo --user ua700aa007g",
		"bras-nara --user ua700aa007g",
		"bras-osaka --user ua700aa007g@atson.net --dry-run",
		"bras-osaka --session 0000001A",
		"bras-osaka --user ua700aa007g --output ndjson --dry-run",
	} {
		r := o.run(t, append([]string{"nas", "probe"}, strings.Fields(line)...)...)
		fmt.Fprintf(&page, "$ sekisho nas probe %s\n%s%sexit %d\n\n", line, r.stdout, r.stderr, r.code)
	}
	golden(t, "nas-probe.txt", settle(page.String(), ofAProbe))
	if filter, changes, _ := o.router.Filter(deskSession); filter != "op25b" || changes != 5 {
		t.Errorf("the router was told %d times, at last %q", changes, filter)
	}
	if r := o.run(t, "audit", "list", "--op", "nas.probe", "-o", "csv"); strings.Count(r.stdout, "nas.probe") != 1 {
		t.Errorf("the audit has %s%s", r.stdout, r.stderr)
	}
}

// TestProbeOfASilentRouter gives up after the first action and the last, and
// says what is the matter.
func TestProbeOfASilentRouter(t *testing.T) {
	o := openOffice(t, "2007-05-16T10:00:30+09:00")
	o.online(t, deskOsaka, "ua700aa007g@atson.net")
	o.mute.Store(true)
	var page strings.Builder
	for _, more := range []string{"", " --output ndjson"} {
		line := "bras-osaka --session 0000001A --timeout 200ms" + more
		r := o.run(t, append([]string{"nas", "probe"}, strings.Fields(line)...)...)
		fmt.Fprintf(&page, "$ sekisho nas probe %s\n%s%sexit %d\n\n", line, r.stdout, r.stderr, r.code)
	}
	late := []difference{{regexp.MustCompile(`"seconds":[\d.]+`), `"seconds":0.2`}, {regexp.MustCompile(`within [\d.]+m?s`), "within 200ms"}} // by how much depends on the machine
	golden(t, "nas-probe-silent.txt", settle(page.String(), append(late, ofAProbe...)))
}

// TestPushAndDisconnectOfASession names the session by its user, and by its
// router and Acct-Session-Id.
func TestPushAndDisconnectOfASession(t *testing.T) {
	o := openOffice(t, "2007-05-16T10:00:30+09:00")
	o.online(t, deskOsaka, "ua700aa007g@atson.net")
	for _, line := range []string{"push ua700aa007g", "push bras-osaka " + deskSession, "disconnect bras-osaka " + deskSession} {
		r := o.run(t, append([]string{"sessions"}, strings.Fields(line)...)...)
		if r.code != exitOK || !strings.Contains(r.stdout, "-ACK") {
			t.Errorf("%s: code %d, %s%s", line, r.code, r.stdout, r.stderr)
		}
	}
	if _, changes, live := o.router.Filter(deskSession); changes != 2 || live {
		t.Errorf("the router was told %d filters, live %v", changes, live)
	}
}

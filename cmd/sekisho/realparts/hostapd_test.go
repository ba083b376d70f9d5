//go:build realparts

package realparts

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"sekisho/dict"
)

// hostapdConf is an authenticator on a cable whose Disconnect port is open and
// that wants an Event-Timestamp.
const hostapdConf = `interface=port
driver=wired
ieee8021x=1
own_ip_addr=127.0.0.1
nas_identifier=sw-1
auth_server_addr=127.0.0.1
auth_server_shared_secret=` + nasSecret + `
radius_das_port=3799
radius_das_client=127.0.0.1 ` + nasSecret + `
radius_das_time_window=300
radius_das_require_event_timestamp=1
`

// startHostapd starts one in the namespace and answers how to ask it.
func startHostapd(t *testing.T) func(command string, attributes ...string) Reply {
	t.Helper()
	n, dir := NewNetns(t, "switch"), WorkDir(t, "hostapd")
	Veth(t, n, "port", NewNetns(t, "station"), "nic")
	p := Start(t, dir, "hostapd", n.Command("hostapd", WriteFile(t, dir, "hostapd.conf", hostapdConf)))
	p.WaitLog(t, startDeadline, "AP-ENABLED")
	return func(command string, attributes ...string) Reply {
		t.Helper()
		return Radclient(t, n, nil, fmt.Sprintf("127.0.0.1:%d", daePort), command, nasSecret, attributes)
	}
}

// TestHostapdUnderstandsTheProfile names a session that is not there to a real
// hostapd, in each way that its profile knows: it answers so, and not that it
// does not know an attribute.
func TestHostapdUnderstandsTheProfile(t *testing.T) {
	Need(t, append(wireParts(), Program("hostapd", "hostapd"))...)
	ask := startHostapd(t)
	profile := asahiProfile(t, "hostapd")
	if profile.Means("open") != dict.ByDisconnect || !profile.Quirks().EventTimestamp || profile.Quirks().Port != daePort {
		t.Fatalf("the profile does not disconnect with an Event-Timestamp: %+v", profile.Quirks())
	}
	session := map[string]string{"User-Name": `"u"`, "Acct-Session-Id": `"0102"`, "NAS-Identifier": `"sw-1"`, "NAS-IP-Address": "192.0.2.1"}
	now := "Event-Timestamp = " + strconv.FormatInt(time.Now().Unix(), 10)
	for _, without := range []string{"", "Acct-Session-Id"} {
		keys, ok := profile.Identification().ForDisconnect(func(k dict.Key) bool {
			name := attributeName(k)
			return session[name] != "" && name != without
		})
		if !ok {
			t.Fatalf("without %q the profile knows no way to name the session", without)
		}
		named := []string{now}
		for _, k := range keys {
			named = append(named, attributeName(k)+" = "+session[attributeName(k)])
		}
		if r := ask("disconnect", named...); r.Code != "Disconnect-NAK" || r.Get("Error-Cause") != "Session-Context-Not-Found" {
			t.Errorf("%q: want to hear that there is no such session, got\n%s", named, r)
		}
	}
	block, _ := profile.Login("block")
	refused := append([]string{now, `User-Name = "u"`}, block.Text...)
	if r := ask("coa", refused...); r.Code != "CoA-NAK" || r.Get("Error-Cause") != "Unsupported-Attribute" {
		t.Errorf("a CoA is refused no more: the profile may use it\n%s", r)
	}
	if r := ask("disconnect", now, `User-Name = "u"`, "Framed-IP-Address = 192.0.2.7"); r.Get("Error-Cause") != "Unsupported-Attribute" {
		t.Errorf("an attribute more is refused no more: the profile may use it\n%s", r)
	}
}

func attributeName(k dict.Key) string {
	a, _ := dict.Standard().ByKey(k)
	return a.Name
}

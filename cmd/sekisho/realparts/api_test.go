//go:build realparts

package realparts

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sekisho/cmd/internal/admin"
	"sekisho/store"
)

// door is where the daemons of these tests answer programs with tokens.
const door = "127.0.0.1:8080"

// apiPage is the page whose examples are run here.
func apiPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks are the examples of a page in one language.
func blocks(page, language string) []string {
	var found []string
	for _, b := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(page, -1) {
		found = append(found, b[1])
	}
	return found
}

// TestCommandLinesOfTheAPI runs each line of curl that docs/api.md shows by a
// shell, in their order, against one daemon.
func TestCommandLinesOfTheAPI(t *testing.T) {
	Need(t, append(wireParts(), Program("curl", "curl"))...)
	sub := Subscriber{Account: "ua700aa007g", Course: "ADSLアッカ"}
	room := NewRoom(t, "asahi-net", []SiteNAS{{Name: "tokyo", Source: "127.0.0.1", NASIP: "192.0.2.1", Secret: nasSecret, Area: "tokyo", Profile: "filter-id", CoA: "port: 3799"}}, nil)
	room.Site.Door = door
	directory := NewSlapd(t, SlapdConfig{}, ISPEntry{ID: "C1", Login: "held", Course: "DAL"}.LDIF())
	directory.Serve(t)
	room.Site.More = directory.Site("max-changes: 0, held-retry: 1s")
	room.Sekisho.Configure(t, room.Site)
	campaign(t, room.Sekisho)
	room.Sekisho.Serve(t, "2007-05-14T12:00:00+09:00")
	room.Sekisho.Import(t, contracts([]Subscriber{sub})...)
	room.RADClient("192.0.2.1").Acct(t, "Acct-Status-Type = Start", `Acct-Session-Id = "0000001A"`, `User-Name = "ua700aa007g@atson.net"`)
	token := newToken(t, room.Sekisho)
	dir := WorkDir(t, "curl")
	WriteFile(t, dir, ".curlrc", "silent\nshow-error\nfail-with-body\n")
	WriteFile(t, dir, "contracts.csv", contractColumns+"\nua700aa007g,ADSLアッカ,dynamic,,personal,,active\n")
	WriteFile(t, dir, "overrides.csv", "account,kind,action,reason,key\nua700aa007g,grant,open,r,k\n")
	places := strings.NewReplacer("/run/sekisho/admin.sock", room.Sekisho.socket, "https://door.example.net:8443", "http://"+door)
	ran := 0
	for _, line := range strings.Split(strings.Join(blocks(apiPage(t), "sh"), ""), "\n") {
		if line == "" {
			continue
		}
		ran++
		c := room.Netns.Command("sh", "-c", places.Replace(line))
		c.Dir = dir
		c.Env = append(os.Environ(), "CURL_HOME="+dir, "ID="+fresh(t, room.Sekisho), "TOKEN="+token)
		if strings.Contains(line, "$HELD") {
			c.Env = append(c.Env, "HELD="+directory.Hold(t, room.Sekisho))
		}
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s\n%v: %s", line, err, out)
		}
	}
	if ran < 20 {
		t.Errorf("only %d command lines were found", ran)
	}
	if head, err := os.ReadFile(filepath.Join(dir, "sekisho-backup.db")); err != nil || !bytes.Contains(head[:64], []byte{0xed, 0xda, 0x0c, 0xed}) {
		t.Errorf("the backup is no bbolt file, %v", err)
	}
}

// campaign leaves a paused campaign in the store of a daemon that is not running.
func campaign(t *testing.T, s *Sekisho) {
	t.Helper()
	db, err := store.Open(filepath.Join(s.dir, "sekisho.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	begun, err := db.AddCampaign(store.Campaign{Cause: "test", Parts: []store.CampaignPart{{NAS: "tokyo", State: "paused", Total: 1}}})
	members := []store.CampaignMember{{NAS: "tokyo", Session: "0000001A", Before: "open", After: "block"}}
	if err := errors.Join(err, db.AddCampaignMembers(begun.ID, members), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// newToken makes a token for a viewer; what the verb says beside it is left out.
func newToken(t *testing.T, s *Sekisho) string {
	t.Helper()
	out := s.CLI(t, "token", "create", "program", "--role", "viewer")
	token := regexp.MustCompile(`sekisho_\S+`).FindString(out)
	if token == "" {
		t.Fatalf("no token in %s", out)
	}
	return token
}

// fresh is the id of a new override, at version 1.
func fresh(t *testing.T, s *Sekisho) string {
	t.Helper()
	c := admin.Dial(s.socket)
	defer c.Close()
	made, err := c.AddOverride(t.Context(), admin.NewOverride{Account: "ua700aa007g", Kind: "restrict", Action: "block", Reason: "r"}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	return made.Override.ID
}

// TestUsersOfTheSocketHaveTheirRoles asks as other users of the machine, by name,
// by number and by a supplementary group, which only the kernel can tell.
func TestUsersOfTheSocketHaveTheirRoles(t *testing.T) {
	Need(t, append(wireParts(), Program("curl", "curl"), Program("setpriv", "util-linux"))...)
	n := NewNetns(t, "roles")
	site := newSite("asahi-net", tokyo)
	site.Roles = `{viewer: nobody, support: ["@4321"], operator: "4322"}`
	s := NewSekisho(t, n, site)
	if err := os.Chmod(s.dir, 0o711); err != nil { // others reach the socket, and nothing else there
		t.Fatal(err)
	}
	s.Serve(t, "")
	for _, tt := range []struct {
		name, setpriv, path, want string
	}{
		{"by name", "--reuid nobody --regid nogroup --clear-groups", "/v1/whoami", `"who":"nobody (uid 65534)","from":"socket","role":"viewer"`},
		{"by a group beside others", "--reuid 4320 --regid 4320 --groups 7,4321", "/v1/whoami", `"who":"4320 (uid 4320)","from":"socket","role":"support"`},
		{"by number", "--reuid 4322 --regid 4320 --clear-groups", "/v1/whoami", `"role":"operator"`},
		{"not at all", "--reuid 4320 --regid 4320 --clear-groups", "/v1/status", `"detail":"4320 (uid 4320) has no role here`},
		{"not enough", "--reuid nobody --regid nogroup --clear-groups", "/v1/audit", `needs the role operator, and nobody (uid 65534) has viewer`},
	} {
		args := append(strings.Fields(tt.setpriv), "curl", "-sS", "--unix-socket", s.socket, "http://sekisho"+tt.path)
		out, err := n.Command("setpriv", args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("%s: %v, %s", tt.name, err, out)
		}
	}
}

// TestFreeRADIUSAsksByREST has a FreeRADIUS that stays in the path ask for each
// decision, by the configuration that docs/api.md shows: nobody is rejected,
// whatever becomes of the question.
func TestFreeRADIUSAsksByREST(t *testing.T) {
	Need(t, append(wireParts(), File("/usr/lib/freeradius/rlm_rest.so", "freeradius-rest"))...)
	subs := []Subscriber{
		{Account: "ua700aa007g", Course: "ADSLアッカ"},
		{Account: "uf234at567c", Course: "Bフレッツファミリー", Options: "fixed-ip", FixedLogin: true},
		{Account: "stranger", Unknown: true},
	}
	n := NewNetns(t, "rest")
	site := newSite("asahi-net", []SiteNAS{{Name: "sekisho", Source: "127.0.0.1", Secret: nasSecret, Area: "tokyo", Profile: "filter-id"}})
	site.Door = door
	s := NewSekisho(t, n, site)
	s.Serve(t, afterStage2)
	s.Import(t, contracts(subs)...)
	token := newToken(t, s)
	example := strings.Replace(blocks(apiPage(t), "unlang")[0], "TOKEN", token, 1)
	modules, postAuth, ok := strings.Cut(example, "# sites-enabled")
	if !ok {
		t.Fatalf("no two parts in %s", example)
	}
	_, postAuth, _ = strings.Cut(postAuth, "\n")
	config := newAAAConfig(aaaUsers(subs))
	config.Modules, config.PostAuth = modules, postAuth
	StartFreeRADIUS(t, n, config)
	nas := NAS{
		Netns: n, Server: "127.0.0.1", AuthPort: aaaAuthPort, AcctPort: aaaAcctPort, Secret: aaaSecret,
		Identity: []string{"Message-Authenticator = 0x00"},
	}
	for i, want := range []string{filter, "", ""} {
		expectAccept(t, subs[i].String(), nas.PAP(t, subs[i].Login(), subs[i].Password()), want)
	}
	s.CLI(t, "grant", subs[0].Account, "--reason", "test", "--until", "2007-06-01")
	expectAccept(t, "with a grant", nas.PAP(t, subs[0].Login(), subs[0].Password()), "")
	s.CLI(t, "token", "revoke", "program", "--reason", "test")
	expectAccept(t, "with a token that was revoked", nas.PAP(t, subs[0].Login(), subs[0].Password()), "")
	s.Process.Stop()
	expectAccept(t, "without a daemon", nas.PAP(t, subs[0].Login(), subs[0].Password()), "")
}

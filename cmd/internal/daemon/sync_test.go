package daemon_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
)

// TestADirectoryThatIsDownChangesNothing: the daemon starts without waiting for
// it, decides, tells how it goes, and ends at once; a reload takes it away.
func TestADirectoryThatIsDownChangesNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	// A server that takes connections and never says a word.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	s.write(t, s.text+`
ldap:
  servers: ldap://`+silent.Addr().String()+`
  bind-dn: cn=sekisho
  secret: whatever
  base: o=isp
  filter: (objectClass=ispContract)
  attributes: {account: uid, course: course}
`)
	began := time.Now()
	if _, err := s.client.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	status, err := s.client.SyncStatus(t.Context(), 1)
	if err != nil || !status.Configured || status.LastSuccess != nil || status.Phase == "following" {
		t.Errorf("%+v, %v", status, err)
	}
	if e, err := s.daemon.Explain(admin.Question{User: "ua700aa007g@atson.net"}); err != nil || e.Contract == nil {
		t.Errorf("%+v, %v", e, err)
	}
	page, err := s.client.HeldSync(t.Context(), "", 10)
	if err != nil || page.Held != nil {
		t.Errorf("%+v, %v", page, err)
	}
	s.write(t, s.text)
	if _, err := s.client.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.client.SyncStatus(t.Context(), 0); status.Configured {
		t.Errorf("%+v", status)
	}
	if _, err := s.client.SyncRun(t.Context(), admin.SyncQuestion{}, func(int) {}); err == nil || !strings.Contains(err.Error(), "no section ldap") {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("all that took %s", took)
	}
}

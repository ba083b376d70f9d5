package daemon_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sekisho/radius/radiustest"
	"sekisho/store"
)

// asksStatus reports whether a Status-Server is answered.
func (s *site) asksStatus(t *testing.T) bool {
	t.Helper()
	auth, _ := s.daemon.Addresses()
	n, err := radiustest.NewNAS(netip.MustParseAddrPort(auth[0]), nasSecret)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Send(n.Request(radiustest.StatusServer, radiustest.MA())); err != nil {
		t.Fatal(err)
	}
	_, err = n.Receive(500 * time.Millisecond)
	return err == nil
}

// breakStore empties the store's file.
func (s *site) breakStore(t *testing.T) {
	t.Helper()
	s.broken = true
	if err := os.Truncate(filepath.Join(filepath.Dir(s.file), "sekisho.db"), 0); err != nil {
		t.Fatal(err)
	}
}

func TestStatusServerWhileTheStoreCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, key string
		answered  bool
	}{
		{"always", "always", true},
		{"while usable", "while-usable", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.write(t, strings.Replace(s.text, `acct: "127.0.0.1:0"`, `acct: "127.0.0.1:0", status-server: `+tt.key, 1))
			if _, err := s.daemon.Reload(store.By{Who: "test"}); err != nil {
				t.Fatal(err)
			}
			if !s.asksStatus(t) {
				t.Fatal("no answer while all is well")
			}
			s.breakStore(t)
			for deadline := time.Now().Add(2 * patience); s.asksStatus(t) != tt.answered; {
				if time.Now().After(deadline) {
					t.Fatalf("a Status-Server is answered: want %t", tt.answered)
				}
			}
		})
	}
}

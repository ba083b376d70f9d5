package admin

import (
	"net/http"
	"os"
	"testing"
)

func TestPeerMay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		uid, own int
		want     bool
	}{
		{"root asks root", 0, 0, true},
		{"root asks another user", 0, 990, true},
		{"the same user", 990, 990, true},
		{"another user", 1000, 990, false},
		{"another user asks root", 1000, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := (Peer{UID: test.uid}).may(test.own); got != test.want {
				t.Errorf("may = %v", got)
			}
		})
	}
}

func TestHandlersKnowThePeer(t *testing.T) {
	t.Parallel()
	c, _ := door(t, handle("GET /who", func(w http.ResponseWriter, r *http.Request) {
		p, ok := PeerFrom(r.Context())
		if !ok {
			t.Error("no peer")
		}
		writeJSON(w, http.StatusOK, p)
	}))
	var got Peer
	if err := c.get(t.Context(), "/who", nil, &got); err != nil {
		t.Fatal(err)
	}
	if got.UID != os.Getuid() || got.GID != os.Getgid() || got.PID != os.Getpid() || got.Login == "" {
		t.Errorf("peer %+v", got)
	}
}

package admin

import (
	"net/http"
	"os"
	"slices"
	"testing"
)

func TestRoleOfAPeer(t *testing.T) {
	t.Parallel()
	access := Access{
		Own:    990,
		Logins: map[string]Role{"alice": Support, "bob": Viewer},
		UIDs:   map[int]Role{1001: Viewer},
		GIDs:   map[int]Role{500: Support, 600: Operator},
	}
	tests := []struct {
		name string
		peer Peer
		want Role
	}{
		{"root", Peer{UID: 0, Login: "root"}, Admin},
		{"the daemon's own user", Peer{UID: 990, Login: "sekisho"}, Admin},
		{"nobody", Peer{UID: 65534, GID: 65534, Login: "nobody"}, Anybody},
		{"by name", Peer{UID: 1000, Login: "alice"}, Support},
		{"by number", Peer{UID: 1001, Login: "carol"}, Viewer},
		{"a name that is another's number", Peer{UID: 1002, Login: "1001"}, Anybody},
		{"by the first group", Peer{UID: 1002, GID: 500}, Support},
		{"by another group", Peer{UID: 1002, GID: 1, Groups: []int{7, 600}}, Operator},
		{"the highest of them", Peer{UID: 1002, Login: "bob", GID: 500, Groups: []int{600}}, Operator},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := access.RoleOf(test.peer); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestHandlersKnowThePeer(t *testing.T) {
	t.Parallel()
	c, _ := doorOf(t, serving("GET /who", func(w http.ResponseWriter, r *http.Request) {
		p, ok := PeerFrom(r.Context())
		if !ok {
			t.Error("no peer")
		}
		_ = writeJSON(w, p)
	}))
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	var got Peer
	if err := c.get(t.Context(), "/who", nil, &got); err != nil {
		t.Fatal(err)
	}
	if got.UID != os.Getuid() || got.GID != os.Getgid() || got.PID != os.Getpid() || got.Login == "" || !slices.Equal(got.Groups, groups) {
		t.Errorf("peer %+v", got)
	}
}

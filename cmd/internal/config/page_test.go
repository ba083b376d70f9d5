package config

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestThePageOfTheDoorIsTaken reads the admin section that docs/api.md shows. The
// groups, the users and the certificate are not on this machine; nothing else
// may be wrong with it.
func TestThePageOfTheDoorIsTaken(t *testing.T) {
	page, err := os.ReadFile("../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?ms)^```site\n(.*?)^```").FindSubmatch(page)
	full, err := os.ReadFile("testdata/areas.good.yaml")
	if err != nil || shown == nil {
		t.Fatal(err, "or no example")
	}
	_, problems := Parse("testdata/api.md", append(full, shown[1]...))
	missing := regexp.MustCompile(`no group|no user|cannot use the certificate`)
	seen := 0
	for _, p := range problems {
		if strings.HasPrefix(p.Key, "admin") {
			seen++
		}
		if !missing.MatchString(p.Text) && p.Key != "nas" && strings.HasPrefix(p.Key, "admin") {
			t.Error(p)
		}
	}
	if seen == 0 {
		t.Error("nothing was read")
	}
}

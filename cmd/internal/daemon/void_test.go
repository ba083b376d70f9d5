package daemon_test

import (
	"strings"
	"testing"

	"sekisho/cmd/internal/admin"
)

// TestReloadTellsOfOverridesThatBecomeVoid takes away a NAS that a grant names,
// and gives it back.
func TestReloadTellsOfOverridesThatBecomeVoid(t *testing.T) {
	t.Parallel()
	s := limited(t)
	narrow, wide := untilFriday(), untilFriday()
	narrow.NAS = "quiet"
	made, err := s.client.AddOverride(t.Context(), narrow, "", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.AddOverride(t.Context(), wide, "", false); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ site, void string }{
		{strings.Replace(s.text, "  quiet:", "  silent:", 1), "there is no NAS quiet"},
		{s.text, ""},
	} {
		s.write(t, tt.site)
		done, err := s.client.Reload(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		said := strings.Join(append(done.Warnings, s.daemon.Status().Reload.Warnings...), "\n")
		if n := strings.Count(said, "do nothing: 1: "+made.Override.ID+" on ua700aa007g (there is no NAS quiet);"); (n == 2) != (tt.void != "") {
			t.Errorf("void %q: the reload says %q", tt.void, said)
		}
		void := 0
		for o, err := range s.client.AllOverrides(t.Context(), admin.OverrideQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Void != "" && (o.ID != made.Override.ID || o.Void != tt.void) {
				t.Errorf("void: %+v", o)
			}
			if o.Void != "" {
				void++
			}
		}
		if (void == 1) != (tt.void != "") {
			t.Errorf("%d are void", void)
		}
	}
}

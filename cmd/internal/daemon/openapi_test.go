package daemon_test

import (
	"flag"
	"os"
	"testing"

	"sekisho/cmd/internal/daemon"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the document of the operations anew")

// TestTheDocumentIsOfTheseOperations holds docs/openapi.yaml against what the
// daemon serves.
func TestTheDocumentIsOfTheseOperations(t *testing.T) {
	const file = "../../../docs/openapi.yaml"
	got, err := daemon.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/openapi.yaml is not what is served; write it anew with go test ./cmd/internal/daemon -run Document -update\n%s", diff)
	}
}

package policyfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every *.bad.yaml stands beside a *.bad.txt with all its messages, every *.good.yaml loads; its warnings, if it has
// any, stand in *.good.txt.
func TestPolicyFilesAndTheirMessages(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(strings.TrimSuffix(file, "yaml") + "txt")
			if err != nil && strings.HasSuffix(file, ".bad.yaml") {
				t.Fatal(err)
			}
			p, problems := Load(file)
			if got := strings.ReplaceAll(problems.Error(), "testdata/", ""); got != strings.TrimSuffix(string(want), "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if (p == nil) != strings.HasSuffix(file, ".bad.yaml") || (p == nil) != (problems.Err() != nil) {
				t.Errorf("policy %v, error %v", p, problems.Err())
			}
		})
	}
}

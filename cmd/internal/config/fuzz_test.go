package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse holds that no site file breaks the reading, and that what is
// refused is refused with a place in the file.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, src []byte) {
		if strings.Contains(string(src), "/dev/") {
			return // a device as a policy does not end
		}
		conf, problems := Parse(filepath.Join(dir, "site.yaml"), src)
		if (conf == nil) != (problems.Err() != nil) {
			t.Fatalf("configuration %v with %v", conf, problems)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Text == "" || p.File == "" {
				t.Fatalf("a problem without a place: %+v", p)
			}
		}
	})
}

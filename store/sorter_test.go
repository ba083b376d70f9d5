package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"sekisho/engine"
)

func TestSorter(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 1000, 1 << 20} {
		dir := t.TempDir()
		s := &sorter{dir: dir, limit: limit}
		var want []string
		for i := range 500 {
			key := fmt.Sprint(rand.IntN(400))
			want = append(want, fmt.Sprintf("%s=%d@%05d", key, i, i))
			if err := s.add([]byte(key), fmt.Append(nil, i), i); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.finish(); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("files with a name: %v", left)
		}
		slices.SortFunc(want, func(a, b string) int {
			keyA, restA, _ := strings.Cut(a, "=")
			keyB, restB, _ := strings.Cut(b, "=")
			_, restA, _ = strings.Cut(restA, "@")
			_, restB, _ = strings.Cut(restB, "@")
			return strings.Compare(keyA+" "+restA, keyB+" "+restB)
		})
		for range 2 {
			var got []string
			for r, err := range s.all() {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%s=%s@%05d", r.key, r.value, r.line))
			}
			if !slices.Equal(got, want) {
				t.Errorf("limit %d: %d rows, %d expected, or not in order", limit, len(got), len(want))
			}
		}
		s.close()
	}
}

// TestImportBeyondMemory: the rows go through files and come out as they are.
func TestImportBeyondMemory(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s := openTemp(t, contract("b", "old"), contract("e", "old"))
		s.direct, s.sortMemory = direct, 200
		rows := []engine.Contract{contract("f", "new"), contract("d", "new"), contract("b", "new"), contract("g", "new"), contract("a", "new")}
		report, err := s.ImportContracts(t.Context(), tester, each(rows...), ImportOptions{})
		if want := (Report{Added: 4, Changed: 1}); report != want || err != nil {
			t.Errorf("report %+v, %v; want %+v", report, err, want)
		}
		expect(t, s, "a=new b=new d=new e=old f=new g=new")
	})
}

func TestImportContractsFile(t *testing.T) {
	t.Parallel()
	for _, memory := range []int{1, sortMemory} {
		s := openTemp(t, contract("old", "old"))
		s.sortMemory = memory
		const file = "account,course\n\nb,1\na,1\nＢ,2\nc,1\n\nb,3\nC,2\n"
		_, err := s.ImportContractsFile(t.Context(), tester, "f.csv", strings.NewReader(file), ImportOptions{})
		var bad *ImportError
		if !errors.As(err, &bad) || !strings.HasSuffix(err.Error(),
			"f.csv:5: account \"b\" is on line 3 already\nf.csv:8: account \"b\" is on line 3 already\nf.csv:9: account \"c\" is on line 6 already") {
			t.Errorf("error %v", err)
		}
		expect(t, s, "old=old")
		_, err = s.ImportContractsFile(t.Context(), tester, "f.csv", strings.NewReader("account,course\na,\nb,c\n"), ImportOptions{})
		if line := new(LineError); !errors.As(err, &line) || line.Line != 2 || line.Column != 3 {
			t.Errorf("error %v", err)
		}
		report, err := s.ImportContractsFile(t.Context(), tester, "f.csv", strings.NewReader("account,course\nb,c\na,c\n"), ImportOptions{Replace: true})
		if want := (Report{Added: 2, Deleted: 1}); report != want || err != nil {
			t.Errorf("report %+v, %v", report, err)
		}
		expect(t, s, "a=c b=c")
	}
}

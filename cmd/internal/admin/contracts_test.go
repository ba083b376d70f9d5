package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sekisho/engine"
	"sekisho/store"
	"sekisho/store/storetest"
)

func contractDoor(t *testing.T, contracts ...engine.Contract) (*Client, *store.Store) {
	t.Helper()
	s := storetest.Open(t, contracts...)
	c, _ := doorOf(t, func(r *Routes) { MountContracts(r, s) })
	return c, s
}

func statusOf(err error) int {
	var p *Problem
	if errors.As(err, &p) {
		return p.Status
	}
	return 0
}

func TestContractOverTheSocket(t *testing.T) {
	t.Parallel()
	var all []engine.Contract
	for _, account := range []string{
		"U1@atson.net", "a/b@x", "100%@x", "%2F", "a b", "日本語@x", "?q=1#f", "a+b;c=d", ".", "..", "../x", "import", `"\`,
	} {
		all = append(all, engine.Contract{
			Account: account, Course: "Bフレッツファミリー", Address: "fixed", Area: "東京",
			Segment: "personal", Options: []string{"fixed-ip"}, Status: "active",
		})
	}
	c, _ := contractDoor(t, all...)
	for _, want := range all {
		t.Run(want.Account, func(t *testing.T) {
			t.Parallel()
			got, err := c.Contract(t.Context(), want.Account)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	t.Run("full-width", func(t *testing.T) {
		t.Parallel()
		if got, err := c.Contract(t.Context(), "Ｕ１＠ａｔｓｏｎ．ｎｅｔ"); err != nil || got.Account != "U1@atson.net" {
			t.Errorf("%+v, %v", got, err)
		}
	})
	for _, account := range []string{"nobody@x", "a", ""} {
		t.Run("unknown "+account, func(t *testing.T) {
			t.Parallel()
			if _, err := c.Contract(t.Context(), account); statusOf(err) != http.StatusNotFound {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestContractsOverTheSocket(t *testing.T) {
	t.Parallel()
	var all []engine.Contract
	for i := range maxPage + 2 {
		all = append(all, engine.Contract{Account: fmt.Sprintf("A%04d", i), Course: "c"})
	}
	c, _ := contractDoor(t, append(all, engine.Contract{Account: "b", Course: "c"})...)
	tests := []struct {
		name, query string
		first       string
		n           int
		next        string
	}{
		{"default page", "", "A0000", 100, "a0099"},
		{"limit", "limit=2", "A0000", 2, "a0001"},
		{"next page", "limit=2&after=a0001", "A0002", 2, "a0003"},
		{"last page is full", "limit=2&after=A1000", "A1001", 2, ""},
		{"last page", "limit=9&after=A1000&prefix=a", "A1001", 1, ""},
		{"prefix", "prefix=B", "b", 1, ""},
		{"none", "prefix=x", "", 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			query, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			page := ContractPage{}
			if err := c.get(t.Context(), "/v1/contracts", query, &page); err != nil {
				t.Fatal(err)
			}
			if len(page.Contracts) != test.n || page.Next != test.next || page.Contracts == nil {
				t.Errorf("%d contracts, next %q", len(page.Contracts), page.Next)
			}
			if test.n > 0 && page.Contracts[0].Account != test.first {
				t.Errorf("first %q, want %q", page.Contracts[0].Account, test.first)
			}
		})
	}
	t.Run("page after page", func(t *testing.T) {
		t.Parallel()
		n := 0
		for got, err := range c.AllContracts(t.Context(), "A") {
			if err != nil || got.Account != all[n].Account {
				t.Fatalf("%d: %+v, %v", n, got, err)
			}
			n++
		}
		if n != len(all) {
			t.Errorf("%d contracts, want %d", n, len(all))
		}
	})
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "offset=3", "limit=%zz"} {
		t.Run("refused "+query, func(t *testing.T) {
			t.Parallel()
			if err := c.get(t.Context(), "/v1/contracts?"+query, nil, nil); statusOf(err) != http.StatusBadRequest {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestImportOverTheSocket(t *testing.T) {
	t.Parallel()
	const csv = "account,course\nnew,c\nchanged,new\n"
	tests := []struct {
		name  string
		opts  ImportOptions
		want  store.Report
		count int
	}{
		{"upsert", ImportOptions{}, store.Report{Added: 1, Changed: 1}, 3},
		{"replace", ImportOptions{Replace: true}, store.Report{Added: 1, Changed: 1, Deleted: 1}, 2},
		{"dry run", ImportOptions{DryRun: true}, store.Report{Added: 1, Changed: 1}, 2},
		{"dry run of replace", ImportOptions{DryRun: true, Replace: true}, store.Report{Added: 1, Changed: 1, Deleted: 1}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, s := contractDoor(t, engine.Contract{Account: "changed", Course: "old"}, engine.Contract{Account: "kept", Course: "c"})
			report, err := c.ImportContracts(t.Context(), "f.csv", strings.NewReader(csv), test.opts)
			if err != nil || report != test.want {
				t.Errorf("report %+v, %v; want %+v", report, err, test.want)
			}
			if n, err := s.Count(); n != test.count || err != nil {
				t.Errorf("%d contracts, %v; want %d", n, err, test.count)
			}
		})
	}
}

func TestImportOverTheSocketRefuses(t *testing.T) {
	t.Parallel()
	wrong := "account,course\n" + strings.Repeat("a\n", 2_000_000) // more than the buffers on the way hold
	tests := []struct {
		name, query, csv string
		status           int
		says             string
	}{
		{"wrong lines", "name=f.csv", "account,course\na,\nb,c\nB,d\n", 422,
			"f.csv: nothing was imported, errors: 2\nf.csv:2:3: course is empty\nf.csv:4: account \"b\" is on line 3 already"},
		{"a name that is not said", "", "account\n", 422, "body:1: no column course"},
		{"more errors than are listed", "name=f.csv", wrong, 422, "f.csv: nothing was imported, errors: more than 100\nf.csv:2: 1 fields"},
		{"replacing all by nothing", "replace=true", "account,course\n", 409, "refusing to replace"},
		{"a misspelt parameter", "dryrun=true", "account,course\na,c\n", 400, `unknown parameter "dryrun"`},
		{"a flag that is neither", "dry-run=maybe", "account,course\na,c\n", 400, "query.dry-run: invalid boolean"},
		{"a flag without a value", "dry-run=", "account,course\na,c\n", 400, `"dry-run": expected boolean, got nothing`},
		{"a flag twice", "dry-run=false&dry-run=true", "account,course\na,c\n", 400, `"dry-run": expected one value, got 2`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, s := contractDoor(t)
			err := c.post(t.Context(), "/v1/contracts/import?"+test.query, nil, strings.NewReader(test.csv), nil)
			if statusOf(err) != test.status || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %d with %q", err, test.status, test.says)
			}
			if n, err := s.Count(); n != 0 || err != nil {
				t.Errorf("%d contracts afterwards, %v", n, err)
			}
		})
	}
}

// failingStore is a store whose every call fails.
type failingStore struct{ err error }

func (f failingStore) Contract(string) (engine.Contract, bool, error) {
	return engine.Contract{}, false, f.err
}

func (f failingStore) Contracts(string, string, int) ([]engine.Contract, error) { return nil, f.err }

func (f failingStore) ImportContractsFile(context.Context, store.By, string, io.Reader, store.ImportOptions) (store.Report, error) {
	return store.Report{}, f.err
}

func TestErrorsOfTheStoreHaveTheirStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		status int
	}{
		{"closed", fmt.Errorf("looking up: %w", store.ErrClosed), http.StatusServiceUnavailable},
		{"damaged", store.ErrDamaged, http.StatusInternalServerError},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, _ := doorOf(t, func(r *Routes) { MountContracts(r, failingStore{test.err}) })
			_, one := c.Contract(t.Context(), "a")
			_, many := c.Contracts(t.Context(), "", "", 1)
			_, imported := c.ImportContracts(t.Context(), "f", strings.NewReader("account,course\n"), ImportOptions{})
			for name, err := range map[string]error{"Contract": one, "Contracts": many, "ImportContracts": imported} {
				if statusOf(err) != test.status {
					t.Errorf("%s: %v, want %d", name, err, test.status)
				}
			}
		})
	}
}

func TestUploadThatIsTooLarge(t *testing.T) {
	t.Parallel()
	err := importProblem("f.csv", &store.ImportError{Errs: []error{fmt.Errorf("reading: %w", &http.MaxBytesError{Limit: 7})}})
	if statusOf(err) != http.StatusRequestEntityTooLarge || !strings.Contains(err.Error(), "at most 7 bytes") {
		t.Errorf("error %v", err)
	}
}

// TestUploadMayTakeLongerThanARequest: its parts come slower than the server
// waits for a whole request, but without a pause that is too long.
func TestUploadMayTakeLongerThanARequest(t *testing.T) {
	t.Parallel()
	l := patience
	l.read, l.write = 30*time.Millisecond, 30*time.Millisecond
	s := storetest.Open(t)
	late := make(chan struct{})
	c, _ := doorWith(t, l, func(r *Routes) { mountImport(r, importer{lateImporter{s, late}, time.Minute}) })
	out, in := io.Pipe()
	go func() {
		_, _ = io.WriteString(in, "account,course\n")
		<-late // the request is older than its limits now
		_, _ = io.WriteString(in, "a,c\n")
		in.Close()
	}()
	var report store.Report
	if err := c.post(t.Context(), "/v1/contracts/import", nil, out, &report); err != nil || report.Added != 1 {
		t.Errorf("report %+v, %v", report, err)
	}
}

// lateImporter begins to read, lets the limits of the request pass, and says so.
type lateImporter struct {
	ContractImporter
	late chan<- struct{}
}

func (l lateImporter) ImportContractsFile(ctx context.Context, by store.By, name string, csv io.Reader, o store.ImportOptions) (store.Report, error) {
	timer := time.AfterFunc(100*time.Millisecond, func() { close(l.late) })
	defer timer.Stop()
	return l.ContractImporter.ImportContractsFile(ctx, by, name, csv, o)
}

func TestUploadThatPausesIsCutOff(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	c, _ := doorOf(t, func(r *Routes) { mountImport(r, importer{s, 20 * time.Millisecond}) })
	out, in := io.Pipe()
	defer in.Close()
	go func() { _, _ = in.Write([]byte("account,course\na,c\n")) }() // and then nothing
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.post(ctx, "/v1/contracts/import", nil, out, nil); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if n, err := s.Count(); n != 0 || err != nil {
		t.Errorf("%d contracts, %v", n, err)
	}
}

// TestImportOutlivesThePauseAfterItsUpload: once all has been sent, the work on
// it may take longer than a pause in sending. A last line without an end makes
// the reader ask once more at the end.
func TestImportOutlivesThePauseAfterItsUpload(t *testing.T) {
	t.Parallel()
	c, _ := doorOf(t, func(r *Routes) { mountImport(r, importer{slowImporter{}, 20 * time.Millisecond}) })
	var report store.Report
	if err := c.post(t.Context(), "/v1/contracts/import", nil, strings.NewReader("account,course"), &report); err != nil || report.Added != 7 {
		t.Errorf("report %+v, %v", report, err)
	}
}

// slowImporter works for a while after the last row.
type slowImporter struct{}

func (slowImporter) ImportContractsFile(ctx context.Context, _ store.By, _ string, csv io.Reader, _ store.ImportOptions) (store.Report, error) {
	if _, err := io.Copy(io.Discard, csv); err != nil {
		return store.Report{}, err
	}
	select {
	case <-ctx.Done():
		return store.Report{}, ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return store.Report{Added: 7}, nil
	}
}

// TestImportGuards holds that limits travel, and so does what would be changed.
func TestImportGuards(t *testing.T) {
	t.Parallel()
	c, s := contractDoor(t, engine.Contract{Account: "a", Course: "c"}, engine.Contract{Account: "b", Course: "c"})
	send := func(opts ImportOptions) (store.Report, error) {
		opts.Replace = true
		return c.ImportContracts(t.Context(), "f.csv", strings.NewReader("account,course\na,d\n"), opts)
	}
	for want, guards := range map[string]store.Guards{
		"max-deletes -1 ":        {MaxDeletes: -1},
		"max-delete-percent 50 ": {MaxDeletePercent: 49},
		"max-changes 2 ":         {MaxChanges: 1},
		"min-contracts 1 ":       {MinContracts: 2},
	} {
		_, err := send(ImportOptions{Guards: guards})
		if statusOf(err) != http.StatusConflict || want != "max-deletes -1 " && !strings.Contains(err.Error(), want+"approves it") {
			t.Errorf("%+v: %v, want %q", guards, err, want)
		}
	}
	if n, err := s.Count(); n != 2 || err != nil {
		t.Errorf("%d contracts afterwards, %v", n, err)
	}
	report, err := send(ImportOptions{DryRun: true, Diff: 1})
	if err != nil || report.Deleted != 1 || report.Diff == nil || len(report.Diff.Changes) != 1 || report.Diff.More != 1 || report.Diff.Changes[0].After.Course != "d" {
		t.Errorf("%+v, %v", report, err)
	}
}

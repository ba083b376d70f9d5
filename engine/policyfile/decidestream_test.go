package policyfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"sekisho/engine"
)

func shipped(t testing.TB, name string) *engine.Policy {
	t.Helper()
	p, problems := Load(name)
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

var feb2007 = time.Date(2007, 1, 31, 15, 0, 0, 0, time.UTC)

func TestDecideStream(t *testing.T) {
	t.Parallel()
	p := shipped(t, "asahi-net")
	tests := []struct{ name, in, want string }{
		{"everything said", `{"user":"F.UF234AT567C@ATSON.NET","contract":{"account":"uf234at567c","course":"TEPCOひかりホーム","address":"dynamic","area":"tokyo","segment":"personal","options":["fixed-ip"],"status":"active"},"nas":{"name":"bras1","area":"tokyo"},"request":{"NAS-Port-Type":"ISDN","nas-port":[1,2]},"overrides":[{"action":"open","from":"2007-01-01T00:00:00+09:00","until":"2007-03-01T00:00:00.5+09:00"}],"stages":["all"],"at":"2007-02-01T00:00:00+09:00"}`,
			`{"action":"open","rule":"override","until":"2007-02-28T15:00:00.5Z","account":"uf234at567c"}`},
		{"now where at is not said", `{"user":"u1@atson.net","contract":{"course":"TEPCOひかりホーム"}}`, `{"action":"block","rule":"stage-1","until":null,"account":"u1"}`},
		{"until in UTC", `{"user":"u1@atson.net","contract":{"course":"TEPCOひかりホーム"},"at":"2006-01-01T00:00:00Z"}`, `{"action":"open","rule":"otherwise","until":"2007-01-31T15:00:00Z","account":"u1"}`},
		{"unknown contract", `{"user":"u1@atson.net","contract":null,"stages":["all"]}`, `{"action":"open","rule":"unknown-contract","until":null,"account":"u1"}`},
		{"a login that is none", `{"user":"nobody","contract":null}`, `{"action":"open","rule":"unknown-contract","until":null,"account":""}`},
		{"null is not said", `{"user":null,"contract":{"course":null,"options":null},"nas":null,"request":null,"overrides":null,"stages":null,"at":null}`, `{"action":"open","rule":"otherwise","until":null,"account":""}`},
		{"override bounds may be null", `{"user":"u1@atson.net","overrides":[{"action":"block","from":null,"until":null}]}`, `{"action":"block","rule":"override","until":null,"account":"u1"}`},
		{"blank lines, no last line end", "\n  \n{\"user\":\"<a>@atson.net\"}", `{"action":"open","rule":"unknown-contract","until":null,"account":"<a>"}`},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := DecideStream(p, strings.NewReader(tt.in), &out, feb2007); err != nil || strings.TrimSuffix(out.String(), "\n") != tt.want {
				t.Errorf("got %s, %v\nwant %s", out.String(), err, tt.want)
			}
		})
	}
}

func TestDecideStreamSpellsRequestsByTheDictionary(t *testing.T) {
	t.Parallel()
	p := shipped(t, "technowave-itkeeper")
	for _, value := range []string{`"ISDN"`, `"isdn"`, `2`, `"2"`, `[5,"PIAFS"]`} {
		in := `{"user":"u@technowave.example","contract":{"course":"エコノミークラス"},"nas":{"area":"tokyo"},"request":{"nas-port-type":` + value + `},"at":"2008-01-01T00:00:00Z"}`
		var out strings.Builder
		if err := DecideStream(p, strings.NewReader(in), &out, feb2007); err != nil || !strings.HasPrefix(out.String(), `{"action":"open"`) {
			t.Errorf("%s: %s%v", value, out.String(), err)
		}
	}
}

func TestDecideStreamReadsABlankAddressAsNotSaid(t *testing.T) {
	t.Parallel()
	in := `{"user":"a@technowave.example","contract":{"course":"エコノミークラス","address":" "},"at":"2007-09-01T00:00:00+09:00"}`
	var out bytes.Buffer
	if err := DecideStream(shipped(t, "technowave-itkeeper"), strings.NewReader(in), &out, feb2007); err != nil || !strings.HasPrefix(out.String(), `{"action":"block-all"`) {
		t.Errorf("%s %v", out.String(), err)
	}
}

func TestDecideStreamNamesLineAndKey(t *testing.T) {
	t.Parallel()
	p := shipped(t, "asahi-net")
	tests := []struct{ name, in, want string }{
		{"unknown key", `{"usr":"x"}`, `usr: unknown key, did you mean "user"?`},
		{"key in other letters", `{"USER":"x"}`, `USER: unknown key, known: user, contract, nas, request, overrides, stages, at`},
		{"unknown key in contract", `{"contract":{"curse":"x"}}`, `contract.curse: unknown key, did you mean "course"?`},
		{"unknown key in nas", `{"nas":{"zone":"x"}}`, `nas.zone: unknown key, known: area, name`},
		{"unknown key in an override", `{"overrides":[{"action":"open"},{"action":"open","untill":"x"}]}`, `overrides[1].untill: unknown key, did you mean "until"?`},
		{"wrong type", `{"user":5}`, `user: expected a string, got the number 5`},
		{"wrong type of contract", `{"contract":"unknown"}`, `contract: expected an object or null, got "unknown"`},
		{"wrong type of options", `{"contract":{"options":"fixed-ip"}}`, `contract.options: expected a list, got "fixed-ip"`},
		{"wrong type of an option", `{"contract":{"options":[true]}}`, `contract.options[0]: expected a string, got true`},
		{"wrong type of nas", `{"nas":[]}`, `nas: expected an object, got a list`},
		{"wrong type of request", `{"request":"x"}`, `request: expected an object, got "x"`},
		{"wrong type of an attribute", `{"request":{"NAS-Port-Type":{}}}`, `request.NAS-Port-Type: expected a string or a number, got an object`},
		{"null attribute", `{"request":{"NAS-Port-Type":null}}`, `request.NAS-Port-Type: expected a string or a number, got null`},
		{"bad time", `{"at":"2007-05-15"}`, `at: expected a time such as 2007-05-14T15:00:00Z, got "2007-05-15"`},
		{"empty time", `{"at":""}`, `at: expected a time such as 2007-05-14T15:00:00Z, got ""`},
		{"empty bound", `{"overrides":[{"action":"open","until":""}]}`, `overrides[0].until: expected a time such as 2007-05-14T15:00:00Z, got ""`},
		{"null among options", `{"contract":{"options":[null]}}`, `contract.options[0]: expected a string, got null`},
		{"bad time of an override", `{"overrides":[{"action":"open","until":"soon"}]}`, `overrides[0].until: expected a time such as 2007-05-14T15:00:00Z, got "soon"`},
		{"unknown action", `{"overrides":[{"action":"opne"}]}`, `overrides[0].action: unknown action "opne", did you mean "open"?`},
		{"no object", `[]`, `expected an object, got a list`},
		{"one bracket too many", `{}}`, `expected one JSON object per line, got more after it`},
		{"two objects", `{} {}`, `expected one JSON object per line, got more after it`},
		{"broken JSON", `{"user":`, `not valid JSON: unexpected EOF`},
		{"not UTF-8", "{\"user\":\"\xff\"}", `not UTF-8 text`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			err := DecideStream(p, strings.NewReader("{}\n"+tt.in+"\n{}\n"), &out, feb2007)
			if err == nil || err.Error() != "line 2: "+tt.want {
				t.Errorf("got %v\nwant line 2: %s", err, tt.want)
			}
			if strings.Count(out.String(), "\n") != 1 {
				t.Errorf("want the decision of line 1 only, got %q", out.String())
			}
		})
	}
}

func TestDecideStreamRefusesEndlessLines(t *testing.T) {
	t.Parallel()
	err := DecideStream(shipped(t, "asahi-net"), io.MultiReader(strings.NewReader("{}\n"), endless{}), io.Discard, feb2007)
	if err == nil || err.Error() != "line 2: bufio.Scanner: token too long" {
		t.Errorf("got %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("x"), len(p))), nil }

func TestDecideStreamReportsWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	p := shipped(t, "asahi-net")
	for _, lines := range []int{1, 1000} {
		err := DecideStream(p, strings.NewReader(strings.Repeat("{}\n", lines)), full{}, feb2007)
		if !errors.Is(err, errFull) {
			t.Errorf("%d lines: got %v", lines, err)
		}
	}
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestDecideStreamHoldsOneLine(t *testing.T) {
	p := shipped(t, "asahi-net")
	line := `{"user":"u1@atson.net","contract":{"course":"TEPCOひかりホーム"}}` + "\n"
	const lines = 100_000
	in := io.LimitReader(&repeat{text: line}, int64(lines*len(line)))
	var most uint64
	counter := &countLines{watch: func() {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	}}
	if err := DecideStream(p, in, counter, feb2007); err != nil {
		t.Fatal(err)
	}
	if counter.n != lines || most > 8<<20 {
		t.Errorf("%d lines, %d octets of heap", counter.n, most)
	}
}

type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c := copy(p[n:], r.text[r.at:])
		n, r.at = n+c, (r.at+c)%len(r.text)
	}
	return n, nil
}

type countLines struct {
	n, writes int
	watch     func()
}

func (c *countLines) Write(p []byte) (int, error) {
	if c.writes++; c.writes%200 == 0 {
		c.watch()
	}
	c.n += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

func TestDecideStreamAnswersBeforeItWaitsForMore(t *testing.T) {
	in, facts := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- DecideStream(shipped(t, "asahi-net"), in, out, feb2007) }()
	scanner := bufio.NewScanner(answers)
	for range 3 {
		if _, err := io.WriteString(facts, `{"user":"ut400te004d@atson.net","contract":{"course":"TEPCOひかりホーム"}}`+"\n"); err != nil {
			t.Fatal(err)
		}
		if !scanner.Scan() || !strings.HasPrefix(scanner.Text(), `{"action":"block"`) {
			t.Fatalf("got %q", scanner.Text())
		}
	}
	facts.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

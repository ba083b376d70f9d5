package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	anyID      = regexp.MustCompile(`\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b`)
	ownName    = regexp.MustCompile(`[a-z_][\w.-]* \(uid \d+\)`)
	anySecret  = regexp.MustCompile(`sekisho_[\w-]{43}`)
	anySize    = regexp.MustCompile(`\d+ bytes`)
	anyHash    = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	movedTo    = regexp.MustCompile(`\d{4}-\d\d-\d\dT\S+\d`)
	logsIn     = regexp.MustCompile(`logs in as (\S+@\S+\w)`)
	goesOnline = regexp.MustCompile(`comes online (?:at (\S+) )?as (\S+@\S+\w)`)
	callFences = regexp.MustCompile("(?s)```call\n(.*?)```")
)

// anonymous makes every id and every hash the same, and whoever runs the tests
// somebody whose name is as long as root's, for the columns.
func anonymous(text string) string {
	text = anySize.ReplaceAllString(anySecret.ReplaceAllString(text, "sekisho_"+strings.Repeat("c0ffee4", 6)), "45056 bytes")
	text = anyHash.ReplaceAllString(text, strings.Repeat("c0ffee42", 8))
	return ownName.ReplaceAllString(anyID.ReplaceAllString(text, "01HZX3VQ8M2N4P6R8T0V2X4Z6B"), "sato (uid 7)")
}

var blanks = regexp.MustCompile(` +`)

// narrow takes the width of columns out of a comparison.
func narrow(text string) string { return blanks.ReplaceAllString(text, " ") }

// TestASupportCall replays the transcript of docs/support.md.
func TestASupportCall(t *testing.T) {
	replayPage(t, openOffice(t, "2007-05-16T10:00:00+09:00"), moduleRoot+"/docs/support.md")
}

// TestTheDesk replays what the verbs about overrides answer, right or wrong.
func TestTheDesk(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"good.csv":  "account,kind,action,reason,until,key\nua700aa007g,grant,open,移転,2007-06-01,k7\nua800ea008h@atson.net,grant,open,x,2007-06-01,k8\n",
		"wrong.csv": "account,kind,action,reason,until,key\nua700aa007g,grant,open,x,2007-06-01,k1\nnobody,grant,opn,x,2007-06-01,k2\nzz,grnt,open,,soon,k3\n",
		"late.csv":  "account,kind,action,reason,until,key\nua700aa007g,grant,open,x,2007-05-01,k1\nua700aa007g,grant,opn,x,2007-05-02,k2\nua700aa007g,grant,open,,2007-06-01,k3\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := openOffice(t, "2007-05-16T10:00:30+09:00")
	o.dir = dir
	replayPage(t, o, "testdata/desk.md")
}

// replayPage runs what the call blocks of a page say: commands behind "$ ", and
// comments that move the clock or let a subscriber dial in. What comes out must
// stand there; with -update it is written there.
func replayPage(t *testing.T, o *office, page string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	replayed := callFences.ReplaceAllStringFunc(string(text), func(block string) string {
		return "```call\n" + anonymous(o.replay(t, callFences.FindStringSubmatch(block)[1])) + "```"
	})
	if *update {
		if err := os.WriteFile(page, []byte(replayed), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(narrow(string(text)), narrow(replayed)); diff != "" {
		t.Errorf("%s is not what happens; write it anew with go test ./cmd/sekisho -update -run %s\n%s", page, t.Name(), diff)
	}
}

func (o *office) replay(t *testing.T, script string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(script) {
		switch command, isCommand := strings.CutPrefix(line, "$ sekisho "); {
		case isCommand:
			b.WriteString(line + o.command(t, command))
		case strings.HasPrefix(line, "# "):
			b.WriteString(line)
			if at := movedTo.FindString(line); at != "" {
				o.move(t, at)
			}
			if who := logsIn.FindStringSubmatch(line); who != nil {
				b.WriteString(o.login(t, deskTokyo, who[1]))
			}
			if who := goesOnline.FindStringSubmatch(line); who != nil {
				b.WriteString(o.online(t, deskNAS[who[1]], who[2]))
			}
			if strings.Contains(line, "router is told") {
				b.WriteString(o.filtered(t))
			}
		}
	}
	return b.String()
}

// command runs a line of a page; the id in it stands for the last one that was
// printed, and DIR for the folder of the test.
func (o *office) command(t *testing.T, line string) string {
	t.Helper()
	args := words(strings.ReplaceAll(anyID.ReplaceAllString(line, o.lastID), "DIR/", o.dir+"/"))
	r := o.run(t, args...)
	if id := anyID.FindString(r.stdout); id != "" {
		o.lastID = id
	}
	out := r.stderr + r.stdout
	if o.dir != "" {
		out = strings.ReplaceAll(out, o.dir, "DIR")
	}
	if r.code != exitOK {
		out += fmt.Sprintf("(exit code %d)\n", r.code)
	}
	return out
}

var quoted = regexp.MustCompile(`"[^"]*"|\S+`)

// words takes a command line apart as a shell does, as far as the page needs it.
func words(line string) (words []string) {
	for _, word := range quoted.FindAllString(line, -1) {
		words = append(words, strings.Trim(word, `"`))
	}
	return words
}

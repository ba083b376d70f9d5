package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sekisho/engine"

	"github.com/google/go-cmp/cmp"
)

// completed runs what the scripts call and returns the words without what is
// said about them.
func completed(t *testing.T, words ...string) (found []string, code int) {
	t.Helper()
	r := sekisho(t, "", append([]string{"__complete", "--"}, words...)...)
	if r.stderr != "" {
		t.Errorf("%q: a shell is told %q", words, r.stderr)
	}
	for line := range strings.Lines(r.stdout) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		found = append(found, word)
	}
	return found, r.code
}

const filesToo = exitFailed

func TestCompletionOfTheWordBeingTyped(t *testing.T) {
	t.Parallel()
	gone := filepath.Join(t.TempDir(), "gone.sock")
	tests := []struct {
		name  string
		words []string
		want  []string
		code  int
	}{
		{"a verb", []string{"imp"}, []string{"impact"}, exitOK},
		{"hidden verbs are none", []string{"__"}, nil, exitOK},
		{"a verb of a group", []string{"policy", "te"}, []string{"test"}, exitOK},
		{"a flag", []string{"explain", "--n"}, []string{"--nas"}, exitOK},
		{"a flag behind an argument", []string{"explain", "u", "--a"}, []string{"--at"}, exitOK},
		{"a flag of the program", []string{"explain", "--so"}, []string{"--socket"}, exitOK},
		{"formats", []string{"contracts", "list", "-o", ""}, []string{"table", "json", "csv", "ndjson"}, exitOK},
		{"formats by their beginning", []string{"contracts", "list", "--output", "n"}, []string{"ndjson"}, exitOK},
		{"languages", []string{"explain", "--lang", ""}, []string{"en", "ja"}, exitOK},
		{"policies", []string{"policy", "show", "as"}, []string{"asahi-net", "asama-internet"}, exitOK},
		{"policies, again and again", []string{"policy", "test", "nekonet", "al"}, []string{"alato-internet"}, filesToo},
		{"a policy of a flag", []string{"calendar", "--policy", "nek"}, []string{"nekonet"}, filesToo},
		{"a file", []string{"contracts", "import", ""}, nil, filesToo},
		{"nothing behind the last argument", []string{"explain", "u", ""}, nil, exitOK},
		{"nothing of what is free", []string{"explain", "--at", ""}, nil, exitOK},
		{"a truth needs no value", []string{"policy", "show", "--tests", "nek"}, []string{"nekonet"}, exitOK},
		{"no daemon, no accounts", []string{"--socket", gone, "explain", ""}, nil, exitOK},
		{"no daemon, no NAS", []string{"--socket=" + gone, "explain", "--nas", ""}, nil, exitOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, code := completed(t, tt.words...)
			if diff := cmp.Diff(tt.want, got); diff != "" || code != tt.code {
				t.Errorf("%q: code %d, want %d\n%s", tt.words, code, tt.code, diff)
			}
		})
	}
}

func TestCompletionAsksTheDaemon(t *testing.T) {
	var many []engine.Contract
	for i := range completeMost + 10 {
		many = append(many, engine.Contract{Account: "many" + strings.Repeat("x", i), Course: "c"})
	}
	socket, _ := contractDaemon(t, append(many, engine.Contract{Account: "ＵＦ１@x.net", Course: "c"}, engine.Contract{Account: "uf2 a", Course: "c"})...)
	for _, verb := range [][]string{{"explain"}, {"contracts", "list"}} {
		if got, _ := completed(t, append(verb, "--socket", socket, "man")...); len(got) != completeMost {
			t.Errorf("%s: %d accounts, want %d", verb, len(got), completeMost)
		}
		if got, _ := completed(t, append(verb, "--socket", socket, "u")...); !slices.Contains(got, "uf2 a") {
			t.Errorf("%s: %q", verb, got)
		}
	}
	demo := startDemo(t, "2007-05-14")
	for _, user := range []string{"ua700aa007g", "ua800ea008h"} {
		for _, more := range [][]string{nil, {"--from", "tomorrow"}} {
			if r := sekisho(t, "", append([]string{"--socket", demo, "grant", user, "--reason", "x"}, more...)...); r.code != exitOK {
				t.Fatal(r.stderr)
			}
		}
	}
	for _, verb := range []string{"revoke", "renew"} {
		if got, _ := completed(t, verb, "--socket", demo, "ua"); !slices.Equal(got, []string{"ua700aa007g", "ua800ea008h"}) {
			t.Errorf("%s: accounts with something to be changed: %q", verb, got)
		}
		if got, _ := completed(t, verb, "--socket", demo, ""); len(got) != 2+4 {
			t.Errorf("%s: accounts and ids: %q", verb, got)
		}
	}
	if got, _ := completed(t, "explain", "--socket", demo, "--nas", "bras"); !slices.Equal(got, []string{"bras-tokyo"}) {
		t.Errorf("got %q", got)
	}
}

// TestBashTakesTheWords runs the script in bash, with a sekisho that answers
// by its words, and shows what bash would offer.
func TestBashTakesTheWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		line, current string // what readline takes for the word begins behind @ : and =
		want          string
	}{
		{"sekisho expl", "expl", "[expl]"},
		{"sekisho explain ", "", "[explain] []"},
		{"sekisho explain uf@at", "at", "[explain] [uf@at]"},
		{"sekisho file ", "", "[file] []"},
		{"sekisho quote ", "", "[quote] []"},
		{`sekisho quote a\'b\ c@x`, "x", "[quote] [a'b c@x]"},
		{`sekisho quote a\'b\ `, `a\'b\ `, "[quote] [a'b ]"},
	}
	const script = `source completion/sekisho.bash
sekisho() {
	shift 2
	asked=$(printf ' [%s]' "$@")
	case $1 in
	explain) printf 'uf@atson.net\tan account\nuf@atson.example\n';;
	expl) echo explain;;
	quote) printf "%s\n" "a'b c@x;id" 'a$(id)';;
	esac
	echo "$asked" >&3
	[[ $1 != file ]]
}
compopt() { echo "compopt $*"; }
COMP_LINE=$1 COMP_POINT=${#1}
exec 3>&1
sekisho_found() { _sekisho sekisho "$2" explain; printf '%s\n' "${COMPREPLY[@]}"; }
cd "$3" || exit 1
sekisho_found "$1" "$2"`
	offered := map[string]string{
		"sekisho expl": "explain\n", "sekisho explain ": "uf@atson.net\nuf@atson.example\n",
		"sekisho explain uf@at": "atson.net\natson.example\n", "sekisho file ": "compopt -o filenames\na file\n",
		"sekisho quote ": "a\\'b\\ c@x\\;id\na\\$\\(id\\)\n", `sekisho quote a\'b\ c@x`: "x\\;id\na\\$\\(id\\)\n",
		`sekisho quote a\'b\ `: "a\\'b\\ c@x\\;id\na\\$\\(id\\)\n",
	}
	dir := filepath.Dir(writeFile(t, "a file", ""))
	for _, tt := range tests {
		command := exec.Command("bash", "-c", strings.Replace(script, "completion/", "'"+mustAbs(t, "completion")+"/'", 1), "bash", tt.line, tt.current, dir)
		out, err := command.CombinedOutput()
		if want := " " + tt.want + "\n" + offered[tt.line]; err != nil || string(out) != want {
			t.Errorf("%q: %v, got\n%s\nwant\n%s", tt.line, err, out, want)
		}
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func TestCompletionScriptsArePrinted(t *testing.T) {
	t.Parallel()
	for _, shell := range shells {
		if r := sekisho(t, "", "completion", shell); r.code != exitOK || !strings.Contains(r.stdout, "__complete --") {
			t.Errorf("%s: code %d, %q", shell, r.code, r.stdout)
		}
	}
	if r := sekisho(t, "", "completion", "csh"); r.code != exitUsage || !strings.Contains(r.stderr, `did you mean "zsh"?`) {
		t.Errorf("code %d, %q", r.code, r.stderr)
	}
}

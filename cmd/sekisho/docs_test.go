package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/daemon"
	"sekisho/dict"
	"sekisho/engine/policyfile"
	"sekisho/engine/yamldoc"

	"github.com/urfave/cli/v2"
)

// block is a fenced example of a page.
type block struct {
	place, language, text string
}

var fence = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```")

// examples returns every fenced example of README, CONTRIBUTING and docs.
func examples(t *testing.T) []block {
	t.Helper()
	pages, err := filepath.Glob(moduleRoot + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, moduleRoot+"/README.md", moduleRoot+"/CONTRIBUTING.md")
	var blocks []block
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range fence.FindAllSubmatchIndex(text, -1) {
			line := 1 + strings.Count(string(text[:m[0]]), "\n")
			blocks = append(blocks, block{
				place:    fmt.Sprintf("%s:%d", filepath.Base(page), line),
				language: string(text[m[2]:m[3]]),
				text:     string(text[m[4]:m[5]]),
			})
		}
	}
	return blocks
}

// TestExamplesAreTaken holds every YAML example of the pages: site files are
// started, policies and profiles compiled.
func TestExamplesAreTaken(t *testing.T) {
	taken := map[string]int{}
	for _, b := range examples(t) {
		if b.language != "yaml" {
			continue
		}
		t.Run(b.place, func(t *testing.T) {
			switch {
			case strings.Contains(b.text, "listen:"):
				startSite(t, b)
				taken["site"]++
			case strings.HasPrefix(b.text, "# profile"):
				compileProfile(t, b)
				taken["profile"]++
			case strings.Contains(b.text, "\ntests:"):
				runExampleTests(t, b)
				taken["tests"]++
			case strings.Contains(b.text, "policy:"):
				if _, problems := policyfile.Parse(b.place, []byte(b.text)); len(problems) > 0 {
					t.Error(problems)
				}
				taken["policy"]++
			default:
				t.Error("neither a site file, nor a policy, nor a profile: say which by its first keys")
			}
		})
	}
	for _, kind := range []string{"site", "profile", "policy", "tests"} {
		if taken[kind] == 0 {
			t.Errorf("no example of a %s was found", kind)
		}
	}
}

var listening = regexp.MustCompile(`(auth|acct): 0\.0\.0\.0:\d+`)

// startSite starts the daemon by an example, on other ports and in a folder of
// its own.
func startSite(t *testing.T, b block) {
	dir, err := os.MkdirTemp("", "site") // the names of t.TempDir are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	text := listening.ReplaceAllString(b.text, "$1: 127.0.0.1:0") +
		fmt.Sprintf("admin: {socket: %[1]s/s}\nstore: {path: %[1]s/db}\n", dir)
	conf, problems := config.Parse(b.place, []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	d, err := daemon.Start(conf, daemon.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func runExampleTests(t *testing.T, b block) {
	results, problems := policyfile.RunTests(b.place, []byte(b.text))
	if len(problems) > 0 || len(results) == 0 {
		t.Errorf("%d tests, %v", len(results), problems)
	}
	for _, r := range results {
		if len(r.Failures) > 0 {
			t.Errorf("%s: %q", r.Name, r.Failures)
		}
	}
}

// TestConsoleExamplesPrintWhatThePagesShow runs the commands behind each "$ "
// and compares what they print.
func TestConsoleExamplesPrintWhatThePagesShow(t *testing.T) {
	ran := 0
	for _, b := range examples(t) {
		if b.language != "console" {
			continue
		}
		for _, example := range strings.Split("\n"+b.text, "\n$ sekisho ")[1:] {
			command, want, _ := strings.Cut(example, "\n")
			r := sekisho(t, "", strings.Fields(command)...)
			if got := strings.TrimSpace(r.stdout + r.stderr); got != strings.TrimSpace(want) {
				t.Errorf("%s: sekisho %s prints\n%s\nand not\n%s", b.place, command, got, want)
			}
			ran++
		}
	}
	if ran < 4 {
		t.Errorf("only %d commands were run", ran)
	}
}

func compileProfile(t *testing.T, b block) {
	spec, _, problems := yamldoc.Decode[dict.ProfileSpec](b.place, []byte(b.text))
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if base, ok := dict.ShippedProfile(spec.Base); ok {
		spec = spec.Derive(base)
	}
	p, errs := dict.CompileProfile(dict.Standard(), "example", spec, []dict.Action{{Name: "open"}, {Name: "block", Filter: "op25b"}})
	if errs != nil || p.Warnings != nil || p.NoCoA("block") != "" {
		t.Error(errs, p.Warnings, p.NoCoA("block"))
	}
}

// TestEveryProfileIsDescribed holds that each shipped profile has a section in
// docs/routers.md and stands in the README.
func TestEveryProfileIsDescribed(t *testing.T) {
	pages := map[string]string{}
	for _, page := range []string{"docs/routers.md", "README.md"} {
		text, err := os.ReadFile(filepath.Join(moduleRoot, page))
		if err != nil {
			t.Fatal(err)
		}
		pages[page] = string(text)
	}
	for _, name := range dict.ShippedProfiles() {
		if !strings.Contains(pages["docs/routers.md"], "\n## "+name+"\n") {
			t.Errorf("docs/routers.md has no section %s", name)
		}
		if !strings.Contains(pages["README.md"], "`"+name+"`") {
			t.Errorf("the README does not name %s", name)
		}
	}
}

// TestCommandsOfThePagesExist holds that every sekisho command line of the
// pages names a verb and flags that there are.
func TestCommandsOfThePagesExist(t *testing.T) {
	seen := 0
	for _, b := range examples(t) {
		if b.language != "sh" {
			continue
		}
		for _, line := range strings.Split(b.text, "\n") {
			line, _, _ = strings.Cut(line, " #")
			fields := strings.Fields(line)
			if at := slices.IndexFunc(fields, func(f string) bool { return f == "sekisho" || f == "./cmd/sekisho" }); at >= 0 {
				seen++
				own := strings.Split(strings.Join(fields[at+1:], "\n"), "\n|")[0]
				if err := known(newApp(), strings.Split(own, "\n")); err != nil {
					t.Errorf("%s: %s: %v", b.place, strings.TrimSpace(line), err)
				}
			}
			if len(fields) > 1 && fields[0] == "make" {
				seen++
				knownTarget(t, b.place, fields[1])
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d commands were found", seen)
	}
}

func known(app *cli.App, args []string) error {
	line := &commandLine{app: app, flags: app.Flags, commands: app.Commands}
	for len(args) > 0 {
		name, _, _ := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
		if strings.HasPrefix(args[0], "-") && len(args[0]) > 1 && lookup(line.flags, name) == nil && lookup(app.Flags, name) == nil {
			return fmt.Errorf("there is no flag %s", args[0])
		}
		args = line.take(args)
	}
	if len(line.path) == 0 {
		return fmt.Errorf("there is no verb %s", strings.Join(line.rest, " "))
	}
	return nil
}

func knownTarget(t *testing.T, place, target string) {
	t.Helper()
	makefile, err := os.ReadFile(moduleRoot + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `:`).Match(makefile) {
		t.Errorf("%s: the Makefile has no target %s", place, target)
	}
}

// TestThePageOfVerbsHasThemAll holds docs/cli.md complete: every verb stands
// in its tables, by its whole name.
func TestThePageOfVerbsHasThemAll(t *testing.T) {
	page, err := os.ReadFile(moduleRoot + "/docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	everyVerb(newApp().Commands, "", func(name string, c *cli.Command) {
		if len(c.Subcommands) == 0 && !regexp.MustCompile("(?m)^\\|.*`"+name+"[ `]").Match(page) {
			t.Errorf("docs/cli.md does not have %q in a table", name)
		}
	})
}

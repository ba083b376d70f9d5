package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"sekisho/engine/policyfile"

	"github.com/urfave/cli/v2"
)

func policyTestCommand() *cli.Command {
	return &cli.Command{
		Name:      "test",
		Usage:     "run decision tests: files, or shipped policies by name",
		ArgsUsage: "FILE|NAME…",
		Description: "Prints what was expected and what came out, with every rule that was asked. Any failure is exit code 1.\n" +
			"docs/policy.md shows how tests are written.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "junit", Usage: "write the results to `FILE` as JUnit XML, too"},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "name the tests that pass, too"},
		},
		Action: policyTest,
	}
}

// testedFile is a test file that ran.
type testedFile struct {
	name    string
	results []policyfile.TestResult
	err     error // mistakes of the file or its policy: nothing ran
}

func (f testedFile) failed() int {
	n := 0
	for _, r := range f.results {
		if len(r.Failures) > 0 {
			n++
		}
	}
	return n
}

func policyTest(c *cli.Context) error {
	var files []testedFile
	bad := false
	for _, name := range c.Args().Slice() {
		results, problems := policyfile.RunTestFile(name)
		f := testedFile{name, results, problems.Err()}
		files, bad = append(files, f), bad || f.err != nil || f.failed() > 0
		if err := writeTested(c.App.Writer, f, c.Bool("verbose")); err != nil {
			return err
		}
	}
	if err := writeJUnitFile(c.String("junit"), files); err != nil {
		return err
	}
	if bad {
		return errors.New("policy tests failed")
	}
	return nil
}

func writeTested(w io.Writer, f testedFile, verbose bool) error {
	if f.err != nil {
		_, err := fmt.Fprintf(w, "%v\n%s: did not run\n", f.err, f.name)
		return err
	}
	for _, r := range f.results {
		if err := writeTestResult(w, r, verbose); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s: %d passed, %d failed\n", f.name, len(f.results)-f.failed(), f.failed())
	return err
}

func writeTestResult(w io.Writer, r policyfile.TestResult, verbose bool) error {
	if len(r.Failures) == 0 {
		if verbose {
			_, err := fmt.Fprintf(w, "%s:%d: ok: %s\n", r.File, r.Line, r.Name)
			return err
		}
		return nil
	}
	if _, err := fmt.Fprintf(w, "%s:%d: FAIL: %s\n", r.File, r.Line, r.Name); err != nil {
		return err
	}
	_, err := io.WriteString(w, failureText(r))
	return err
}

// failureText is what was expected, what came out, and the decision's trace.
func failureText(r policyfile.TestResult) string {
	text := ""
	for _, f := range r.Failures {
		text += "  " + f + "\n"
	}
	for _, step := range r.Decision.Trace {
		text += "    " + step.String() + "\n"
	}
	return text
}

func writeJUnitFile(file string, files []testedFile) error {
	if file == "" {
		return nil
	}
	text, err := junit(files)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("writing the JUnit file: %w", err)
	}
	return nil
}

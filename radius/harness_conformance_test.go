package radius_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// sekishoBinary is the sekisho that the conformance cases run against, if this
// variable names one: the same tests, but the proxy is a daemon.
var sekishoBinary = os.Getenv("SEKISHO_BINARY")

// onlyInside are the tests that run against the proxy in this process even
// then, and why.
var onlyInside = map[string]string{
	"TestCase46AccountInShiftJIS":                               "the store takes UTF-8 only, so no contract of a daemon can have such an account",
	"TestCase50PanicWhileDeciding":                              "the store turns a panic over a broken file into an error, and nothing else from outside makes the engine panic",
	"TestCase50DecisionSlowerThanItsBudget":                     slowStore,
	"TestCase50StoreSlowForEverybodyWithinTheBudget":            slowStore,
	"TestCase50StoreSlowForEverybodyOverTheBudgetThatComesBack": slowStore,
}

const slowStore = "a store in a local file cannot be made slow from outside"

// cases are the conformance cases that these tests answer for.
var cases = slices.Concat(span(1, 39), span(42, 42), span(44, 46), span(48, 52))

func span(from, to int) (all []string) {
	for n := from; n <= to; n++ {
		all = append(all, fmt.Sprintf("%02d", n))
	}
	return all
}

func TestMain(m *testing.M) {
	code := m.Run()
	if sekishoBinary != "" {
		code = max(code, conformance())
	}
	os.Exit(code)
}

// ran counts the daemons that each test has started.
var ran = struct {
	sync.Mutex
	daemons map[string]int
}{daemons: map[string]int{}}

// runsTheBinary tells whether the proxy of a test is to be a daemon.
func runsTheBinary(t testing.TB) bool {
	test := topLevel(t)
	return sekishoBinary != "" && caseName.MatchString(test) && onlyInside[test] == ""
}

func ranTheBinary(t testing.TB) {
	ran.Lock()
	defer ran.Unlock()
	ran.daemons[topLevel(t)]++
}

// topLevel is the name of the function that a subtest stands in.
func topLevel(t testing.TB) string {
	name, _, _ := strings.Cut(t.Name(), "/")
	return name
}

// conformance says which cases ran against the binary. It is an error that a
// test which was to run did not get there.
func conformance() (code int) {
	asked := chosen(caseTests())
	numbers, daemons := map[string]bool{}, 0
	for _, test := range asked {
		switch n := ran.daemons[test]; {
		case onlyInside[test] != "":
			fmt.Printf("conformance: only inside: %s: %s\n", test, onlyInside[test])
		case n == 0:
			fmt.Printf("conformance: %s did not run against the binary\n", test)
			code = 1
		default:
			daemons += n
			note(numbers, test)
		}
	}
	fmt.Printf("conformance: %d of %d cases ran against %s: %d tests, %d daemons\n", len(numbers), len(cases), sekishoBinary, len(ran.daemons), daemons)
	return code
}

// chosen are the tests that this run was asked for.
func chosen(tests []string) []string {
	first, _, _ := strings.Cut(flag.Lookup("test.run").Value.String(), "/")
	asked := regexp.MustCompile(first)
	return slices.DeleteFunc(tests, func(test string) bool { return !asked.MatchString(test) })
}

var caseName = regexp.MustCompile(`^TestCase(\d\d)(?:And(\d\d))?`)

// note enters the numbers of the cases in a test's name.
func note(numbers map[string]bool, test string) {
	for _, number := range caseName.FindStringSubmatch(test)[1:] {
		if number != "" {
			numbers[number] = true
		}
	}
}

var caseFunc = regexp.MustCompile(`(?m)^func (TestCase\d\d\w*)\(`)

// caseTests finds the tests of cases in the source, whether they run or not.
func caseTests() (tests []string) {
	files, _ := filepath.Glob("*_test.go") // the pattern is right
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			panic(err) // the tests run where they were compiled
		}
		for _, f := range caseFunc.FindAllStringSubmatch(string(source), -1) {
			tests = append(tests, f[1])
		}
	}
	return tests
}

func TestEveryCaseHasATestThatCanRunAgainstTheBinary(t *testing.T) {
	t.Parallel()
	tests, numbers := caseTests(), map[string]bool{}
	for test := range onlyInside {
		if !slices.Contains(tests, test) {
			t.Errorf("there is no %s", test)
		}
	}
	for _, test := range tests {
		if onlyInside[test] == "" {
			note(numbers, test)
		}
	}
	if got := slices.Sorted(maps.Keys(numbers)); !slices.Equal(got, cases) {
		t.Errorf("there are tests for\n%v, want\n%v", got, cases)
	}
}

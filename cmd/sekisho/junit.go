package main

import (
	"encoding/xml"
	"fmt"
)

// The elements of JUnit XML that test reports of CI systems read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit writes results as a test report: a suite for each file.
func junit(files []testedFile) ([]byte, error) {
	var all junitSuites
	for _, f := range files {
		s := junitSuite{Name: f.name, Tests: len(f.results), Failures: f.failed()}
		if f.err != nil {
			s.Tests, s.Errors = 1, 1
			s.Cases = []junitCase{{Class: f.name, Name: "the file", Error: &junitMessage{"it has errors", f.err.Error()}}}
		}
		for _, r := range f.results {
			c := junitCase{Class: f.name, Name: r.Name, File: r.File, Line: r.Line}
			if len(r.Failures) > 0 {
				c.Failure = &junitMessage{r.Failures[0], failureText(r)}
			}
			s.Cases = append(s.Cases, c)
		}
		all.Suites = append(all.Suites, s)
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing JUnit XML: %w", err)
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}

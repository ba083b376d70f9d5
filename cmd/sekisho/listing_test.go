package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestTableOfVeryMany is written in pieces: it begins before its last row is
// known, has one header, and its columns never get narrower.
func TestTableOfVeryMany(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	l := listing[int]{columns: []string{"number", "word"}, cells: func(i int) []string {
		if i == tableRows+tableRows/2 {
			return []string{fmt.Sprint(i), "固定IPアドレスのコース"}
		}
		return []string{fmt.Sprint(i), "w"}
	}}
	err := l.table(&out, func(yield func(int, error) bool) {
		for i := range 2*tableRows + 1 {
			if i == 2*tableRows && out.Len() == 0 {
				t.Error("nothing is written while rows come")
			}
			if !yield(i, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2*tableRows+2 {
		t.Errorf("%d lines", len(lines))
	}
	for at, want := range map[int]string{
		0:                           "NUMBER  WORD",
		1:                           "0       w",
		1 + tableRows:               "10000   w",
		1 + tableRows + tableRows/2: "15000   固定IPアドレスのコース",
		1 + 2*tableRows:             "20000   w",
	} {
		if lines[at] != want {
			t.Errorf("line %d is %q, want %q", at, lines[at], want)
		}
	}
}

func TestTableOfAFullPiece(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, tableRows, tableRows + 1} {
		var out strings.Builder
		l := listing[int]{columns: []string{"number"}, cells: func(i int) []string { return []string{fmt.Sprint(i)} }}
		err := l.table(&out, func(yield func(int, error) bool) {
			for i := range n {
				if !yield(i, nil) {
					return
				}
			}
		})
		if lines := strings.Count(out.String(), "\n"); err != nil || lines != n+1 {
			t.Errorf("%d rows make %d lines, %v", n, lines, err)
		}
	}
}

package radius_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// Octets are written in these tests as hexadecimal digits, as 'text', and as
// *n for n octets that may be anything, with blanks wherever they help:
//
//	01 0c 'u1@isp.jp' 50 12 *16
//
// anything stands for such an octet in a pattern.
const anything = int16(-1)

// pattern reads the notation.
func pattern(t testing.TB, notation string) []int16 {
	t.Helper()
	var octets []int16
	for rest := strings.TrimSpace(notation); rest != ""; rest = strings.TrimSpace(rest) {
		var err error
		if octets, rest, err = token(octets, rest); err != nil {
			t.Fatalf("%q: %v", notation, err)
		}
	}
	return octets
}

// token reads one token and returns what comes after it.
func token(octets []int16, text string) ([]int16, string, error) {
	if text[0] == '\'' {
		word, rest, ok := strings.Cut(text[1:], "'")
		if !ok {
			return nil, "", fmt.Errorf("no end of %s", text)
		}
		for i := range len(word) {
			octets = append(octets, int16(word[i]))
		}
		return octets, rest, nil
	}
	word := text[:len(text)-len(strings.TrimLeft(text, "*0123456789abcdef"))]
	if count, ok := strings.CutPrefix(word, "*"); ok {
		n, err := strconv.Atoi(count)
		for range n {
			octets = append(octets, anything)
		}
		return octets, text[len(word):], err
	}
	if word == "" || len(word)%2 != 0 {
		return nil, "", fmt.Errorf("no octets at %q", text)
	}
	for i := 0; i < len(word); i += 2 {
		n, err := strconv.ParseUint(word[i:i+2], 16, 8)
		if err != nil {
			return nil, "", err
		}
		octets = append(octets, int16(n))
	}
	return octets, text[len(word):], nil
}

// octets reads the notation with zeros for what may be anything.
func octets(t testing.TB, notation string) []byte {
	t.Helper()
	var b []byte
	for _, o := range pattern(t, notation) {
		b = append(b, byte(max(o, 0)))
	}
	return b
}

// match fails the test unless the octets are as written.
func match(t testing.TB, what string, got []byte, notation string) {
	t.Helper()
	want := pattern(t, notation)
	same := len(got) == len(want)
	for i := 0; same && i < len(want); i++ {
		same = want[i] == anything || want[i] == int16(got[i])
	}
	if !same {
		t.Errorf("%s:\n got %.2000s\nwant %.2000s", what, spaced(got), strings.Join(strings.Fields(notation), " "))
	}
}

// spaced writes octets in hexadecimal, attribute by attribute where they are
// such.
func spaced(b []byte) string {
	var s strings.Builder
	for len(b) >= 2 && b[1] >= 2 && int(b[1]) <= len(b) {
		fmt.Fprintf(&s, "%x %q  ", b[:b[1]], b[2:b[1]])
		b = b[b[1]:]
	}
	fmt.Fprintf(&s, "%x", b)
	return s.String()
}

// attribute writes one attribute in the notation.
func attribute(typ byte, value []byte) string {
	return fmt.Sprintf("%02x %02x %x ", typ, len(value)+2, value)
}

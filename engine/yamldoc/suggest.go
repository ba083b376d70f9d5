package yamldoc

import (
	"fmt"
	"strings"
)

// Nearest gives the word of known that a reader most probably meant by word: a spelling at most a third of its
// letters away (3 at most), or the only one that begins with it. It reports false when nothing is that near.
func Nearest(word string, known []string) (string, bool) {
	best, found, limit := "", false, min(3, (len([]rune(word))+1)/3)
	for _, k := range known {
		if d := distance([]rune(word), []rune(k)); d <= limit {
			best, found, limit = k, true, d-1
		}
	}
	if !found {
		return onlyLonger(word, known)
	}
	return best, found
}

// onlyLonger finds the one known word that begins with word, when three letters or more were written.
func onlyLonger(word string, known []string) (string, bool) {
	found := ""
	for _, k := range known {
		if len([]rune(word)) >= 3 && strings.HasPrefix(k, word) {
			if found != "" {
				return "", false
			}
			found = k
		}
	}
	return found, found != ""
}

// Suggest ends a message about an unknown word: a likely meant one, else the list of what there is.
func Suggest(word string, known []string) string {
	if near, ok := Nearest(word, known); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(known) == 0 {
		return "there are none"
	}
	return "known: " + list(known)
}

// distance counts the single-letter changes (insert, delete, replace, swap of neighbours) between two words.
func distance(a, b []rune) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

const listed = 12 // words of a list that a reader still looks through

func list(words []string) string {
	if len(words) <= listed+1 {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:listed], ", "), len(words)-listed)
}

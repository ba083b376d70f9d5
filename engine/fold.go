package engine

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold is the one folding of names in sekisho; logins, contracts, the directory and the command line all use it.
// Full-width ASCII becomes ASCII, half-width katakana full-width (voiced marks joined to their letter), every blank
// a space, blanks at the ends go, letters become lower case. Octets that are not UTF-8 stay as they are.
// Fold(Fold(s)) is Fold(s), and nothing is allocated when s is folded already.
func Fold(s string) string {
	if folded(s) {
		return s
	}
	return string(appendFold(make([]byte, 0, len(s)+len(s)/2), s))
}

// folded says cheaply that nothing needs to change; it may say no for strings that would not change either.
func folded(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' || c < ' ' {
			return foldedRunes(s)
		}
	}
	return s == "" || s[0] != ' ' && s[len(s)-1] != ' '
}

func foldedRunes(s string) bool {
	var last rune
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				last = r
				continue
			}
		}
		if foldRune(r) != r || r == ' ' && (last == 0 || i == len(s)-1) {
			return false
		}
		if _, joined := join(last, r); joined {
			return false
		}
		last = r
	}
	return true
}

// appendFold appends Fold(s) to dst, so that callers with a buffer need no memory.
func appendFold(dst []byte, s string) []byte {
	start := len(dst)
	last, lastAt := rune(0), start // the letter that a voiced mark would join
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf { // most are: no mark, and no letter that takes one
			if r := foldRune(rune(s[i])); r != ' ' || len(dst) > start {
				dst, last = append(dst, byte(r)), 0
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst, last = append(dst, s[i]), 0
			i++
			continue
		}
		i += size
		if r = foldMark(last, r); r == ' ' && len(dst) == start {
			continue
		}
		if voiced, ok := join(last, r); ok {
			dst, r = dst[:lastAt], voiced
		}
		last, lastAt = r, len(dst)
		dst = utf8.AppendRune(dst, r)
	}
	for len(dst) > start && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// foldMark is foldRune, but keeps a mark joinable as long as there is a letter before it that takes it.
func foldMark(last, r rune) rune {
	if _, ok := join(last, r); ok {
		return r
	}
	return foldRune(r)
}

const halfKatakana = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜"

var fullKatakana = []rune(halfKatakana)

func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		if '\t' <= r && r <= '\r' {
			return ' '
		}
		return r
	case '！' <= r && r <= '～':
		return foldRune(r - '！' + '!')
	case '｡' <= r && r <= 'ﾟ':
		return fullKatakana[r-'｡']
	case r == '\u3000' || r == '\u00a0':
		return ' '
	}
	return unicode.ToLower(r)
}

// voiced and halfVoiced are the kana that take a mark; the marked letter is the next one, or the next but one.
const (
	voiced     = "かきくけこさしすせそたちつてとはひふへほカキクケコサシスセソタチツテトハヒフヘホ"
	halfVoiced = "はひふへほハヒフヘホ"
)

// join combines a kana with a mark after it: half-width, or combining as macOS writes it.
func join(letter, mark rune) (rune, bool) {
	switch {
	case mark != 'ﾞ' && mark != '\u3099' && mark != 'ﾟ' && mark != '\u309a':
		return 0, false
	case mark == 'ﾟ' || mark == '\u309a':
		return letter + 2, strings.ContainsRune(halfVoiced, letter)
	case letter == 'ウ':
		return 'ヴ', true
	case letter == 'ワ' || letter == 'ヲ':
		return letter + 8, true // ヷ, ヺ
	}
	return letter + 1, strings.ContainsRune(voiced, letter)
}

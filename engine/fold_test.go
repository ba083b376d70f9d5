package engine

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFold(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"nothing to do", "uf234at567c@atson.net", "uf234at567c@atson.net"},
		{"capitals", "F.UF234AT567C@ATSON.NET", "f.uf234at567c@atson.net"},
		{"full-width ASCII", "ＡＤＳＬアッカ（１２Ｍ）", "adslアッカ(12m)"},
		{"full-width tilde", "1.5M～50M", "1.5m~50m"},
		{"half-width katakana", "ﾌﾚｯﾂ･ｽﾎﾟｯﾄ", "フレッツ・スポット"},
		{"voiced marks", "ﾊﾞﾋﾞｳﾞﾜﾞｶﾞﾎﾟ", "バビヴヷガポ"},
		{"combining marks as macOS writes them", "フレッツスホ\u309aットカ\u3099", "フレッツスポットガ"},
		{"mark that joins nothing", "ｱﾞﾅﾟ", "ア゛ナ゜"},
		{"full-width letter, half-width mark", "カﾞ", "ガ"},
		{"ideographic blanks", "　光　with　", "光 with"},
		{"outer blanks and line ends", " \t id\r\n", "id"},
		{"blanks only", " 　 ", ""},
		{"octets that are not UTF-8", "A\xff\xfeB", "a\xff\xfeb"},
		{"mark after such an octet", "\xffﾞ", "\xff゛"},
		{"mark after ASCII", "ｶaﾞ", "カa゛"},
		{"Roman numeral", "エコノミークラスⅡ", "エコノミークラスⅱ"},
	}
	for _, tt := range tests {
		if got := Fold(tt.in); got != tt.want {
			t.Errorf("%s: Fold(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestFoldAllocatesOnlyForChanges(t *testing.T) {
	for _, s := range []string{"uf234at567c@atson.net", "フレッツ・スポット", "", "a b"} {
		if n := testing.AllocsPerRun(100, func() { Fold(s) }); n != 0 {
			t.Errorf("Fold(%q): %v allocations", s, n)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "ﾞ", "ｶﾞﾞ", "ハﾞﾟ", "\xff", " a ", "İ", "K", "ｶ\u3099", "\x00 "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Errorf("Fold(%q) = %q, folded again %q", s, once, twice)
		}
		if folded(s) && string(appendFold(nil, s)) != s {
			t.Errorf("%q counts as folded, but folds to %q", s, appendFold(nil, s))
		}
		if utf8.ValidString(s) && !utf8.ValidString(once) {
			t.Errorf("Fold(%q) = %q is no UTF-8", s, once)
		}
		if strings.Trim(once, " ") != once {
			t.Errorf("Fold(%q) = %q keeps blanks", s, once)
		}
	})
}

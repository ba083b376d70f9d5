package ldapsync

import (
	"testing"
	"unicode/utf8"

	"sekisho/engine"
	"sekisho/store"

	"github.com/go-ldap/ldap/v3"
)

// FuzzMapping holds that no attribute breaks the mapping, and that what it makes
// is what the store takes, or is refused with a reason.
func FuzzMapping(f *testing.F) {
	for _, v := range []string{"a", " Ｕ１２３４ＡＢ ", "\x83\x65\x83\x58", "\x00", "a;b", "固定IP", "*", "ｶﾞ"} {
		f.Add(v, v, v)
	}
	m := NewMapping([]Field{
		{Name: "account", Attributes: []string{"uid", "mail"}}, {Name: "course", Attributes: []string{"course"}, Values: map[string]string{"*": "any", "a": "b"}},
		{Name: "options", Attributes: []string{"option"}, Values: map[string]string{"固定IP": "fixed-ip", "x": ""}},
		{Name: "status", Attributes: []string{"option"}, Values: map[string]string{"*": "active"}},
	})
	f.Fuzz(func(t *testing.T, account, course, option string) {
		e := ldap.NewEntry("cn=x", map[string][]string{"UID": {account}, "course": {course, course}, "option": {option}})
		contracts, err := m.Contracts(e)
		if (err == nil) != (len(contracts) > 0) {
			t.Fatalf("%v, %v", contracts, err)
		}
		for _, c := range contracts {
			if err := store.CheckContract(c); err == nil && (engine.Fold(c.Account) == "" || !utf8.ValidString(c.Account+c.Course)) {
				t.Errorf("%q is taken", c)
			}
		}
	})
}

// FuzzEntryID holds that an id comes out of 16 octets only.
func FuzzEntryID(f *testing.F) {
	f.Add("00000000-0000-0000-0000-000000000001", []byte("0123456789abcdef"))
	f.Add("00000000-000000000000000000000001", []byte{})
	f.Fuzz(func(t *testing.T, text string, raw []byte) {
		e := ldap.NewEntry("cn=x", map[string][]string{"entryUUID": {text}, "objectGUID": {string(raw)}})
		id, err := entryID(e)
		if (err != nil) != (id == store.EntryID{}) && err != nil {
			t.Errorf("%x with %v", id, err)
		}
	})
}

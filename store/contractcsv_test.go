package store

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"sekisho/engine"
)

func readAll(rows iter.Seq2[engine.Contract, error]) (contracts []engine.Contract, errs []string) {
	for c, err := range rows {
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		contracts = append(contracts, c)
	}
	return contracts, errs
}

func TestReadContracts(t *testing.T) {
	t.Parallel()
	full := engine.Contract{
		Account: "U1@atson.net", Course: "Bフレッツファミリー", Address: "fixed", Area: "tokyo",
		Segment: "personal", Options: []string{"fixed-ip", "security-vpn"}, Status: "active",
	}
	const header = "account,course,address,area,segment,options,status\n"
	tests := []struct {
		name, csv string
		want      []engine.Contract
	}{
		{"all columns", header + "U1@atson.net,Bフレッツファミリー,fixed,tokyo,personal,fixed-ip;security-vpn,active\n", []engine.Contract{full}},
		{"columns in another order", "status,options,segment,area,address,course,account\nactive,security-vpn;fixed-ip,personal,tokyo,fixed,Bフレッツファミリー,U1@atson.net\n", []engine.Contract{full}},
		{"options between blanks", header + "U1@atson.net,Bフレッツファミリー,fixed,tokyo,personal, fixed-ip　 security-vpn; ,active\n", []engine.Contract{full}},
		{"words in other spellings", header + "U1@atson.net,Bフレッツファミリー,ＦＩＸＥＤ,tokyo,Personal,fixed-ip;security-vpn, ACTIVE \n", []engine.Contract{full}},
		{"outer blanks", header + "　U1@atson.net , Bフレッツファミリー,fixed,tokyo,personal,fixed-ip;security-vpn,active\n", []engine.Contract{full}},
		{"only what is required", "course,account\nc,a\n", []engine.Contract{{Account: "a", Course: "c"}}},
		{"header in other spellings", "Account, ＣＯＵＲＳＥ \na,c\n", []engine.Contract{{Account: "a", Course: "c"}}},
		{"CRLF", "account,course\r\na,c\r\n", []engine.Contract{{Account: "a", Course: "c"}}},
		{"byte order mark", "\uFEFFaccount,course\na,c\n", []engine.Contract{{Account: "a", Course: "c"}}},
		{"no end of the last line", "account,course\na,c", []engine.Contract{{Account: "a", Course: "c"}}},
		{"blank lines", "\n\naccount,course\n \na,c\n\r\n\n", []engine.Contract{{Account: "a", Course: "c"}}},
		{"quotes", "account,course\n\"a\",\"c \"\"x\"\", y\"\n", []engine.Contract{{Account: "a", Course: `c "x", y`}}},
		{"a header only", "account,course\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, errs := readAll(ReadContracts("f.csv", iotest.OneByteReader(strings.NewReader(test.csv))))
			if diff := cmp.Diff(test.want, got); diff != "" || errs != nil {
				t.Errorf("errors %q\n%s", errs, diff)
			}
		})
	}
}

func TestReadContractsRefuses(t *testing.T) {
	t.Parallel()
	const encoding = "; a Shift_JIS file is converted by: iconv -f CP932 -t UTF-8"
	tests := []struct {
		name, csv string
		errs      []string
	}{
		{"an empty file", "", []string{"f.csv:1: empty file: expected a header line such as account,course,address,area,segment,options,status"}},
		{"every problem of the header", "account,curse,account\n", []string{
			`f.csv:1:9: unknown column "curse": expected account, course, address, area, segment, options, status`,
			`f.csv:1:15: column "account" occurs more than once`,
			"f.csv:1: no column course in the header line",
		}},
		{"no header line", "u1@x,c\n", []string{
			`f.csv:1:1: unknown column "u1@x": expected account, course, address, area, segment, options, status`,
			`f.csv:1:6: unknown column "c": expected account, course, address, area, segment, options, status`,
			"f.csv:1: no column account in the header line",
			"f.csv:1: no column course in the header line",
		}},
		{"too many and too few fields", "account,course\na,b,c\na\nb,c\n", []string{
			"f.csv:2: 3 fields, while the header line has 2",
			"f.csv:3: 1 fields, while the header line has 2",
		}},
		{"empty account and course", "account,course\n ,\"\"\n", []string{"f.csv:2:1: account is empty", "f.csv:2:3: course is empty"}},
		{"words out of no vocabulary", "account,course,address,segment,status\nあ,い,x,y,z\n", []string{
			`f.csv:2:5: address "x" is none of dynamic, fixed, simple-fixed`,
			`f.csv:2:7: segment "y" is none of personal, corporate-s`,
			`f.csv:2:9: status "z" is none of active, suspended, closed`,
		}},
		{"a duplicate after folding", "account,course\n\nU1@x,c\nother,c\nｕ1@X,d\n", []string{`f.csv:5:1: account "u1@x" is on line 3 already`}},
		{"a duplicate of a wrong line", "account,course\na,\na,c\n", []string{"f.csv:2:3: course is empty", `f.csv:3:1: account "a" is on line 2 already`}},
		{"Shift_JIS", "account,course\na,B\x83t\x83\x8c\n", []string{"f.csv:2:4: expected UTF-8, found the byte 0x83" + encoding}},
		{"Shift_JIS after Japanese UTF-8", "account,course\nああ,\x83t\n", []string{"f.csv:2:4: expected UTF-8, found the byte 0x83" + encoding}},
		{"a Shift_JIS header", "account,\x83R\na,b,c\n", []string{"f.csv:1:9: expected UTF-8, found the byte 0x83" + encoding}},
		{"UTF-16", "\xff\xfea\x00", []string{"f.csv:1:1: expected UTF-8, found the byte 0xFF" + encoding}},
		{"many Shift_JIS lines and another error", "account,course\na,\x83\nb,\x84\nc\nd,\x85\n", []string{
			"f.csv:2:3: expected UTF-8, found the byte 0x83" + encoding,
			"f.csv:4: 1 fields, while the header line has 2",
			"f.csv:5: expected UTF-8 in 2 more lines up to here",
		}},
		{"a quote that is never closed costs one line", "account,course\na,\"b\nc,d\ne,\n", []string{
			"f.csv:2:6: a quoted field must end on its line, before a comma", "f.csv:4:3: course is empty",
		}},
		{"a quote inside a field", "account,course\na,b\"c\n", []string{"f.csv:2:4: bare \" in non-quoted-field"}},
		{"a control character", "account,course\na\x00b,c\n", []string{`f.csv:2:1: account "a\x00b" contains the control character U+0000`}},
		{"a line that is too long", "account,course\na," + strings.Repeat("x", 200_000) + "\nb,\n", []string{
			"f.csv:2: the line is longer than 65536 bytes", "f.csv:3:3: course is empty",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, errs := readAll(ReadContracts("f.csv", strings.NewReader(test.csv)))
			if diff := cmp.Diff(test.errs, errs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadContractsEndsWithItsReader(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	tests := map[string]string{"between lines": "account,course\na,c\n", "in a line": "account,course\na,c", "in a long line": "account,course\n" + strings.Repeat("x", maxLine+1)}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			var last error
			for _, last = range ReadContracts("f.csv", io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))) {
				if n++; n > 5 {
					t.Fatal("does not end")
				}
			}
			if !errors.Is(last, broken) {
				t.Errorf("last error %v", last)
			}
		})
	}
}

func TestExportThenImportIsIdentity(t *testing.T) {
	t.Parallel()
	contracts := []engine.Contract{
		{Account: "U1234AB567C@atson.net", Course: "超割ADSL(IP電話対応)", Address: "simple-fixed", Area: "東京", Segment: "corporate-s", Options: []string{"a", "b"}, Status: "closed"},
		{Account: `quote"comma,@x`, Course: `"`, Area: ` \. `},
		{Account: "#comment", Course: "=1+1"},
		{Account: "ｶﾞ@x", Course: "ＢＢパック(ST-X)", Address: "ＦＩＸＥＤ", Options: []string{"z", "a", "a"}},
	}
	s := openTemp(t, contracts...)
	var first bytes.Buffer
	if err := WriteContracts(&first, s.AllContracts("")); err != nil {
		t.Fatal(err)
	}
	report, err := s.ImportContracts(t.Context(), By{Who: "test"}, ReadContracts("export", bytes.NewReader(first.Bytes())), ImportOptions{Replace: true})
	if want := (Report{Unchanged: len(contracts)}); report != want || err != nil {
		t.Errorf("report %+v, %v; want %+v", report, err, want)
	}
	got, errs := readAll(ReadContracts("export", &first))
	want, _ := readAll(s.AllContracts(""))
	if diff := cmp.Diff(want, got); diff != "" || errs != nil {
		t.Errorf("errors %q\n%s", errs, diff)
	}
}

func TestWriteContractsRefusesWhatCannotBeReadBack(t *testing.T) {
	t.Parallel()
	tests := map[string]engine.Contract{
		"no course":              {Account: "a"},
		"an option of two words": {Account: "a", Course: "c", Options: []string{"x y"}},
		"a line break":           {Account: "a", Course: "c\nd"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := WriteContracts(io.Discard, each(c)); err == nil || !strings.Contains(err.Error(), `contract "a"`) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestWriteContractsPassesErrorsOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if err := WriteContracts(io.Discard, then(broken)); !errors.Is(err, broken) {
		t.Errorf("of the sequence: %v", err)
	}
	full, writer := io.Pipe()
	full.CloseWithError(broken)
	if err := WriteContracts(writer, each(contract("a", "c"))); !errors.Is(err, broken) {
		t.Errorf("of the writer: %v", err)
	}
}

// FuzzReadContracts: whatever the bytes, reading ends without a panic, every
// error names a place, and what was read can be written and read again.
func FuzzReadContracts(f *testing.F) {
	f.Add([]byte("account,course,options\na,c,x;y\n\"b\",\"\"\"\",\n"))
	f.Add([]byte("\uFEFFcourse,account\r\n\x83R,a\r\n"))
	f.Add([]byte("account,course\n\"a\n\n\rb,c,d"))
	f.Add([]byte("account,course,address,area,segment,options,status\nＡ,ｶﾞ, FIXED ,,personal, ;,closed"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var contracts []engine.Contract
		for c, err := range ReadContracts("f", bytes.NewReader(data)) {
			var where *LineError
			if err != nil && (!errors.As(err, &where) || where.Line < 1) {
				t.Fatalf("an error without a place: %v", err)
			}
			if err == nil {
				contracts = append(contracts, c)
			}
		}
		var out bytes.Buffer
		if err := WriteContracts(&out, each(contracts...)); err != nil {
			t.Fatal(err)
		}
		again, errs := readAll(ReadContracts("f", &out))
		if diff := cmp.Diff(contracts, again); diff != "" || errs != nil {
			t.Errorf("errors %q\n%s", errs, diff)
		}
	})
}

package load

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"sekisho/radius/radiustest"

	"github.com/google/go-cmp/cmp"
)

var benchUsers = []User{
	{Name: "a@isp.example", Password: "pa", Filter: "op25b", Checked: true},
	{Name: "b@isp.example", Password: "pb", Checked: true},
}

// aaa accepts who knows the password, the first subscriber with a filter.
func aaa(t *testing.T, spoil func(r *radiustest.Request, answer []byte) [][]byte) Options {
	t.Helper()
	users := radiustest.Users(map[string]radiustest.User{
		"a@isp.example": {Password: "pa", Attributes: []radiustest.Attribute{radiustest.Attr(radiustest.FilterID, "op25b")}},
		"b@isp.example": {Password: "pb"},
	})
	server, err := radiustest.NewAAA("secret", func(r *radiustest.Request) [][]byte {
		answers := users(r)
		if spoil != nil && len(answers) > 0 {
			return spoil(r, answers[0])
		}
		return answers
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return Options{
		Auth: server.Addr, Acct: server.Addr, Secret: []byte("secret"), Users: benchUsers,
		Sockets: 2, Window: 5, Duration: 50 * time.Millisecond, Timeout: 5 * time.Second,
	}
}

func run(t *testing.T, o Options) Report {
	t.Helper()
	r, err := Run(t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Sent == 0 || r.Answered()+r.WrongInAll()+r.Lost != r.Sent {
		t.Errorf("%d sent: %d answered, %d wrong, %d lost", r.Sent, r.Answered(), r.WrongInAll(), r.Lost)
	}
	return r
}

func TestEveryAnswerIsRight(t *testing.T) {
	t.Parallel()
	kinds := map[string]func(*Options){
		"PAP":        func(*Options) {},
		"CHAP":       func(o *Options) { o.CHAP = 100 },
		"both":       func(o *Options) { o.CHAP = 50 },
		"accounting": func(o *Options) { o.Accounting = 100 },
		"all":        func(o *Options) { o.Accounting, o.CHAP = 40, 50 },
		"at a rate":  func(o *Options) { o.Window, o.Rate, o.Accounting = 0, 1000, 20 },
	}
	for name, set := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := aaa(t, nil)
			set(&o)
			r := run(t, o)
			if r.WrongInAll() > 0 || r.Lost > 0 || r.Rejected > 0 {
				t.Errorf("wrong %v, lost %d, rejected %d", r.Wrong, r.Lost, r.Rejected)
			}
			if (r.Accepted > 0) != (o.Accounting < 100) || (r.Accounted > 0) != (o.Accounting > 0) {
				t.Errorf("accepted %d, accounted %d", r.Accepted, r.Accounted)
			}
			if n := r.Latency.TotalCount(); uint64(n) != r.Answered() {
				t.Errorf("%d latencies of %d answers", n, r.Answered())
			}
		})
	}
}

func TestWhatIsWrongIsToldApart(t *testing.T) {
	t.Parallel()
	again := func(r *radiustest.Request, change func(p *radiustest.Packet)) [][]byte {
		p := &radiustest.Packet{Code: radiustest.AccessAccept, ID: r.ID, Attributes: []radiustest.Attribute{radiustest.MA()}}
		change(p)
		return [][]byte{r.Sign(p)}
	}
	tests := map[string]struct {
		spoil func(r *radiustest.Request, answer []byte) [][]byte
		want  string
	}{
		"no packet":       {func(_ *radiustest.Request, answer []byte) [][]byte { return [][]byte{answer[:7], answer} }, wrongFraming},
		"a forged answer": {func(_ *radiustest.Request, answer []byte) [][]byte { return [][]byte{spoiled(answer, 5), answer} }, wrongAuthenticator},
		"a code that does not fit": {func(r *radiustest.Request, _ []byte) [][]byte {
			return again(r, func(p *radiustest.Packet) { p.Code = radiustest.AccountingResponse })
		}, wrongCode},
		"no filter where one is due, and one where none is": {func(r *radiustest.Request, _ []byte) [][]byte {
			return again(r, func(p *radiustest.Packet) {
				if r.Value(radiustest.UserName) == "b@isp.example" {
					p.Attributes = append(p.Attributes, radiustest.Attr(radiustest.FilterID, "op25b"))
				}
			})
		}, wrongFilter},
		"the answer of another": {func(r *radiustest.Request, _ []byte) [][]byte {
			return again(r, func(p *radiustest.Packet) {
				p.Attributes = append(p.Attributes, radiustest.Attr(class, "b@isp.example"))
			})
		}, wrongClass},
		"the filter twice": {func(r *radiustest.Request, _ []byte) [][]byte {
			return again(r, func(p *radiustest.Packet) {
				p.Attributes = append(p.Attributes, radiustest.Attr(radiustest.FilterID, "op25b"), radiustest.Attr(radiustest.FilterID, "op25b"))
			})
		}, wrongFilter},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := aaa(t, test.spoil)
			o.Class = test.want == wrongClass
			r, err := Run(t.Context(), o, nil)
			if err != nil || r.Wrong[test.want] == 0 || len(r.Wrong) > 1 {
				t.Errorf("%v, %v", r.Wrong, err)
			}
		})
	}
}

func spoiled(octets []byte, at int) []byte {
	b := append([]byte(nil), octets...)
	b[at] ^= 1
	return b
}

func TestMessageAuthenticatorIsLeftOut(t *testing.T) {
	t.Parallel()
	o := aaa(t, nil)
	for _, o.NoMA = range []bool{false, true} {
		l := newLine(&o, accessRequest, 100, 0, time.Now())
		p, err := radiustest.Decode(l.compose(1, errand{user: &benchUsers[0]}))
		if err != nil {
			t.Fatal(err)
		}
		if has := len(p.Values(radiustest.MessageAuthenticator)) > 0; has == o.NoMA {
			t.Errorf("left out: %v; there: %v", o.NoMA, has)
		}
	}
}

func TestSilenceIsLost(t *testing.T) {
	t.Parallel()
	o := aaa(t, func(*radiustest.Request, []byte) [][]byte { return nil })
	o.Timeout = 20 * time.Millisecond
	if r := run(t, o); r.Lost != r.Sent {
		t.Errorf("%d of %d lost", r.Lost, r.Sent)
	}
}

func TestAnEndOfTheContextEnds(t *testing.T) {
	t.Parallel()
	o := aaa(t, nil)
	o.Duration = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, o, nil); err != nil {
		t.Error(err)
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Options){
		"no users":                  func(o *Options) { o.Users = nil },
		"neither rate nor window":   func(o *Options) { o.Window = 0 },
		"rate and window":           func(o *Options) { o.Rate = 1 },
		"no sockets":                func(o *Options) { o.Sockets = 0 },
		"more than the identifiers": func(o *Options) { o.Window = 513 },
		"more than all by CHAP":     func(o *Options) { o.CHAP = 101 },
	} {
		o := aaa(t, nil)
		spoil(&o)
		if _, err := Run(t.Context(), o, nil); err == nil {
			t.Error(name, "is no error")
		}
	}
}

func TestReadUsers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file string
		want []User
		err  string
	}{
		"all columns":      {"filter,user,password\nop25b,a,p\n,b,q\n", []User{{"a", "p", "op25b", true}, {"b", "q", "", true}}, ""},
		"names only":       {"user\na\n", []User{{"a", "given", "", false}}, ""},
		"empty":            {"", nil, "u.csv: empty; expected a line of column names: user, password, filter"},
		"no names":         {"password\np\n", nil, "u.csv:1: the column user is missing"},
		"a strange column": {"user,speed\na,1\n", nil, `u.csv:1: unknown column "speed"; known are user, password, filter`},
		"a short line":     {"user,password\na\n", nil, "u.csv: record on line 2: wrong number of fields"},
	}
	for name, test := range tests {
		got, err := ReadUsers("u.csv", strings.NewReader(test.file), "given")
		if text := errText(err); text != test.err {
			t.Errorf("%s: error %q", name, text)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Error(name, diff)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWindowAndRateAreShared(t *testing.T) {
	t.Parallel()
	o := &Options{Sockets: 3, Window: 10}
	windows, whole := map[int]int{}, 0
	for i := range o.Sockets {
		l := newLine(o, accessRequest, 100, i, time.Now())
		windows[l.window]++
		whole += l.window
	}
	if whole != o.Window || !maps.Equal(windows, map[int]int{3: 2, 4: 1}) {
		t.Error(windows)
	}
	o = &Options{Sockets: 4, Rate: 1000}
	if l := newLine(o, accountingRequest, 50, 0, time.Now()); l.every != 8*time.Millisecond {
		t.Error(l.every)
	}
}

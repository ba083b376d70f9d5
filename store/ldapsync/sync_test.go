package ldapsync

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/store"
	"sekisho/store/storetest"

	"github.com/go-ldap/ldap/v3"
)

func three() *fake {
	f := newFake()
	for i, text := range []string{"uid=a course=x", "uid=b course=y", "uid=c course=z"} {
		f.put(i, text)
	}
	return f
}

func TestRefreshAndPersist(t *testing.T) {
	t.Parallel()
	b := start(t, three(), nil, nil)
	b.phase(Following)
	b.becomes("a=x b=y c=z")
	b.dir.live <- step{entry: ldap.NewEntry("cn=9", map[string][]string{"uid": {"d"}, "course": {"w"}}), controls: []ldap.Control{state(9, ldap.SyncStateAdd, "")}}
	b.dir.live <- step{entry: ldap.NewEntry("cn=0", nil), controls: []ldap.Control{state(0, ldap.SyncStateDelete, "")}}
	b.dir.live <- idSet(true, 1)
	b.dir.live <- step{controls: []ldap.Control{&ldap.ControlSyncInfo{NewCookie: &ldap.ControlSyncInfoNewCookie{Cookie: []byte("77")}}}}
	b.until("four changes to wait", func() bool { b.clock.pass(0); return len(b.dir.live) == 0 })
	b.until("the cookie", func() bool {
		b.clock.pass(settle)
		s, err := b.st.Directory(Source)
		return err == nil && strings.HasSuffix(string(s.Cookie.Value), "77")
	})
	b.becomes("c=z d=w")
}

// TestCookies: what each kind of refresh means for entries that it does not name.
func TestCookies(t *testing.T) {
	t.Parallel()
	put := func(n int, uid, course string) step {
		return step{entry: ldap.NewEntry(fmt.Sprint("cn=", n), map[string][]string{"uid": {uid}, "course": {course}}), controls: []ldap.Control{state(n, ldap.SyncStateAdd, "")}}
	}
	for name, test := range map[string]struct {
		script []step
		want   string
		asks   []string // after the first
	}{
		"nothing changed, no cookie": {[]step{refreshEnd(true, "")}, "a=x b=y c=z", []string{"cookie 3"}},
		"deletes by id":              {[]step{idSet(true, 1), put(0, "a", "new"), refreshEnd(true, "4")}, "a=new c=z", []string{"cookie 3"}},
		"present":                    {[]step{idSet(false, 0), put(2, "c", "new"), refreshEnd(false, "4")}, "a=x c=new", []string{"cookie 3"}},
		"present, one by one":        {[]step{{controls: []ldap.Control{state(0, ldap.SyncStatePresent, "")}}, refreshEnd(false, "4")}, "a=x", []string{"cookie 3"}},
		"present, then deletes": {[]step{
			{controls: []ldap.Control{&ldap.ControlSyncInfo{RefreshPresent: &ldap.ControlSyncInfoRefreshPresent{}}}},
			idSet(true, 0), refreshEnd(true, "4"),
		}, "", []string{"cookie 3"}},
		// Everything came, as if it was the difference: nothing is absent yet, but
		// everything is compared, with what the directory has.
		"cookie not read": {[]step{put(0, "a", "x"), refreshEnd(true, "")}, "a=x b=y c=z", []string{"cookie 3", "cookie "}},
		"everything":      {[]step{put(0, "a", "x"), put(1, "b", "y"), put(7, "q", "q"), refreshEnd(true, "9")}, "a=x b=y c=z", []string{"cookie 3", "cookie "}},
		"refused":         {[]step{{err: ldap.NewError(ldap.LDAPResultSyncRefreshRequired, errors.New("too old"))}}, "a=x b=y c=z", []string{"cookie 3", "cookie "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.Open(t)
			b := start(t, three(), st, func(c *Config) { c.Guards.MinContracts = 0 })
			b.phase(Following)
			b.end()
			dir := three()
			dir.script = test.script
			b = start(t, dir, st, func(c *Config) { c.Guards.MinContracts = 0 })
			b.phase(Following)
			if got := b.contracts(); got != test.want || !slices.Equal(b.asked(), test.asks) {
				t.Errorf("got  %s, asked %q\nwant %s, asked %q; %+v", got, b.asked(), test.want, test.asks, b.Status())
			}
		})
	}
}

// TestIncompleteIsNotAbsent: whatever is missing from an answer stays.
func TestIncompleteIsNotAbsent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*fake, *Config)
		kind   string
	}{
		"lost without a word":         {func(f *fake, _ *Config) { f.breaks = true }, "connect"},
		"lost without a word, polled": {func(f *fake, c *Config) { f.breaks, c.Method = true, Timestamp }, "connect"},
		"referral":                    {func(f *fake, c *Config) { f.refer, c.Method = "ldap://other/o=isp", Timestamp }, "partial"},
		"page without cookie":         {func(f *fake, c *Config) { f.noCookie, c.Method, c.Search.PageSize = true, Timestamp, 2 }, "partial"},
		"no id":                       {func(f *fake, c *Config) { f.noID, c.Method = true, Timestamp }, "partial"},
		"empty":                       {func(f *fake, _ *Config) { clear(f.entries) }, "held"},
		"refresh without end":         {func(f *fake, _ *Config) { f.script = []step{idSet(true, 0)}; f.live = nil }, "partial"},
		"entry without attributes": {func(f *fake, _ *Config) {
			f.script = []step{{controls: []ldap.Control{state(1, ldap.SyncStateAdd, "")}}}
		}, "partial"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.Open(t)
			b := start(t, three(), st, nil)
			b.phase(Following)
			b.end()
			dir := three()
			b = start(t, dir, st, func(c *Config) {
				test.change(dir, c)
				c.Search.Filter += " " // another search: the cookie is worth nothing
			})
			b.until("an error", func() bool { return b.Status().Errors[test.kind] > 0 })
			if got := b.contracts(); got != "a=x b=y c=z" {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestPollByTimestamp(t *testing.T) {
	t.Parallel()
	dir := three()
	b := start(t, dir, nil, func(c *Config) { c.Method, c.Search.PageSize = Timestamp, 2 })
	b.phase(Waiting)
	b.becomes("a=x b=y c=z")
	dir.put(1, "uid=b course=new")
	dir.remove(2)
	b.until("a poll", func() bool { b.clock.pass(time.Minute); return b.contracts() == "a=x b=new c=z" })
	// a deletion shows when everything is compared
	if _, err := b.Sync(t.Context(), RunOptions{Full: true}); err != nil {
		t.Fatal(err)
	}
	if got := b.contracts(); got != "a=x b=new" {
		t.Errorf("got %s", got)
	}
	for _, filter := range b.asked() {
		if filter != "(uid=*)" && !strings.HasPrefix(filter, "(&(uid=*)(modifyTimestamp>=20261122115") && !strings.HasPrefix(filter, "(&(uid=*)(modifyTimestamp>=20261122120") {
			t.Errorf("asked %s", filter)
		}
	}
}

// TestPollByUSN follows a recorded controller, and another one.
func TestPollByUSN(t *testing.T) {
	t.Parallel()
	dir := three()
	dir.root = map[string][]string{"dsServiceName": {"CN=NTDS Settings,CN=DC1"}, "highestCommittedUSN": {"3"}}
	st := storetest.Open(t)
	usn := func(c *Config) { c.Method = USN }
	b := start(t, dir, st, usn)
	b.phase(Waiting)
	dir.put(0, "uid=a course=new")
	dir.mu.Lock()
	dir.root["highestCommittedUSN"] = []string{"4"}
	dir.mu.Unlock()
	b.until("a poll", func() bool { b.clock.pass(time.Minute); return b.contracts() == "a=new b=y c=z" })
	if asked := b.asked(); asked[0] != "(uid=*)" || asked[1] != "(&(uid=*)(uSNChanged>=4))" {
		t.Errorf("asked %q", asked)
	}
	b.end()
	other := three()
	other.remove(1)
	other.root = map[string][]string{"dsServiceName": {"CN=NTDS Settings,CN=DC2"}, "highestCommittedUSN": {"9"}}
	b = start(t, other, st, usn)
	b.becomes("a=x c=z")
	if asked := b.asked(); asked[0] != "(uid=*)" {
		t.Errorf("asked %q of another controller", asked)
	}
}

// TestServersInTurn: back-off grows, with jitter, and every server is asked.
func TestServersInTurn(t *testing.T) {
	t.Parallel()
	dir := three()
	dir.refused = errors.New("connection refused")
	b := start(t, dir, nil, nil)
	b.until("twelve failures", func() bool { b.clock.pass(2 * longestWait); return b.Status().Failures >= 12 })
	b.clock.mu.Lock()
	for i, wait := range b.clock.asked[:11] {
		most := min(firstWait<<i, longestWait)
		if wait < most*2/3-time.Millisecond || wait > most*4/3+time.Millisecond {
			t.Errorf("wait %d is %s, about %s expected", i, wait, most)
		}
	}
	b.clock.mu.Unlock()
	dir.mu.Lock()
	dir.refused = nil
	if dir.dials[0] != "ldap://one" || dir.dials[1] != "ldap://two" || dir.dials[2] != "ldap://one" {
		t.Errorf("dialled %q", dir.dials)
	}
	dir.mu.Unlock()
	b.until("the directory back", func() bool { b.clock.pass(longestWait * 2); return b.Status().Phase == Following })
	b.becomes("a=x b=y c=z")
	if s := b.Status(); s.Failures != 0 || s.Errors["connect"] < 12 {
		t.Errorf("%+v", s)
	}
}

// TestSmallStepsAreHeld: changes that come one by one end in one held diff.
func TestSmallStepsAreHeld(t *testing.T) {
	t.Parallel()
	dir := newFake()
	for i := range 30 {
		dir.put(i, fmt.Sprintf("uid=u%02d course=x", i))
	}
	b := start(t, dir, nil, func(c *Config) { c.Guards.MaxDeletes, c.Times.Grace = 5, time.Hour })
	b.phase(Following)
	for i := range 9 {
		dir.remove(i)
		dir.live <- step{controls: []ldap.Control{state(i, ldap.SyncStateDelete, fmt.Sprint(31+i))}}
		b.until("the message", func() bool { b.clock.pass(settle); return len(dir.live) == 0 || b.Status().Phase != Following })
		b.until("it to be applied", func() bool {
			b.clock.pass(settle)
			return b.Status().Directory.Missing == min(i+1, 5) || b.Status().Phase == Holding
		})
	}
	b.until("something held", func() bool { b.clock.pass(time.Second); return b.Status().Phase == Holding })
	held := b.Status().Directory.Held
	if held.Report.Vanished != 4 || b.Status().Directory.Missing != 5 {
		t.Errorf("held %+v", held)
	}
	if _, err := b.Approve(t.Context(), store.By{Who: "boss"}, held.ID, false); err != nil {
		t.Fatal(err)
	}
	b.phase(Following)
	if s := b.Status(); s.Directory.Missing != 9 || s.Directory.Held != nil {
		t.Errorf("%+v", s.Directory)
	}
}

func TestDryRunSpeaksOfGuardsAndChangesNothing(t *testing.T) {
	t.Parallel()
	dir := newFake()
	for i := range 30 {
		dir.put(i, fmt.Sprintf("uid=u%02d course=x", i))
	}
	b := start(t, dir, nil, func(c *Config) { c.Guards.MaxDeletes = 5 })
	b.phase(Following)
	dir.put(29, "uid=u29 course=new")
	r, err := b.Sync(t.Context(), RunOptions{DryRun: true, Diff: 5})
	if err != nil || r.Changed != 1 || len(r.Diff.Changes) != 1 || r.Entries != 30 {
		t.Errorf("%+v, %v", r, err)
	}
	for i := range 10 {
		dir.remove(i)
	}
	_, err = b.Sync(t.Context(), RunOptions{DryRun: true})
	var guard *store.GuardError
	var held *store.HeldError
	if !errors.As(err, &guard) || errors.As(err, &held) {
		t.Errorf("%v", err)
	}
}

// TestServerThatHangs: a server that says nothing any more.
func TestServerThatHangs(t *testing.T) {
	t.Parallel()
	dir := three()
	b := start(t, dir, nil, nil)
	b.phase(Following)
	b.until("a sign of life", func() bool { b.clock.pass(probeEvery); return b.Status().LastSuccess.After(noon) })
	dir.mu.Lock()
	dir.probe = errors.New("i/o timeout")
	dir.mu.Unlock()
	b.until("the loss", func() bool { b.clock.pass(probeEvery); return b.Status().Errors["connect"] > 0 })
	if s := b.Status(); s.Age(b.clock.Now().Add(time.Hour)) < time.Hour {
		t.Errorf("%+v", s)
	}
}

// TestOddEntriesAreListed: the rest goes on.
func TestOddEntriesAreListed(t *testing.T) {
	t.Parallel()
	dir := three()
	dir.entries[10] = map[string][]string{"uid": {"\x83\x65\x83\x58\x83\x67"}, "course": {"x"}}
	dir.entries[11] = map[string][]string{"uid": {"long"}, "course": {strings.Repeat("x", 10_000)}}
	dir.entries[12] = map[string][]string{"uid": {"two"}, "course": {"x", "y"}}
	dir.entries[13] = map[string][]string{"course": {"x"}}
	dir.entries[14] = map[string][]string{"uid": {" Ｆｕｌｌ  "}, "course": {"TEPCOひかり　"}}
	dir.entries[15] = map[string][]string{"uid": {"state"}, "course": {"x"}, "status": {"whatever"}}
	dir.entries[16] = map[string][]string{"uid": {"a"}, "course": {"other"}}
	for n := 10; n <= 16; n++ {
		dir.changed[n] = 1
	}
	b := start(t, dir, nil, func(c *Config) { c.KnownCourse = func(name string) bool { return name == "x" } })
	b.phase(Following)
	b.becomes("a=x b=y c=z Ｆｕｌｌ=TEPCOひかり")
	var got []string
	for _, u := range b.Unmapped(10) {
		got = append(got, u.DN+": "+u.Reason)
	}
	want := []string{
		`cn=10: contract "\x83e\x83X\x83g": account "\x83e\x83X\x83g": expected UTF-8`,
		`cn=11: contract "long": course is 10000 bytes long; at most 1024 fit`,
		`cn=12: course: course has 2 values, "x" and "y" among them; expected one`,
		`cn=13: account: the entry has no uid`,
		`cn=15: contract "state": status "whatever" is none of active, suspended, closed`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	s := b.Status()
	if s.Unmapped != 5 || s.Directory.Doubles != 1 || len(s.Courses) != 4 {
		t.Errorf("%+v", s)
	}
	// mended while we follow
	b.dir.live <- step{entry: ldap.NewEntry("cn=13", map[string][]string{"uid": {"now"}, "course": {"x"}}), controls: []ldap.Control{state(13, ldap.SyncStateModify, "99")}}
	b.until("the mended one", func() bool { b.clock.pass(settle); return b.Status().Unmapped == 4 })
}

func TestFullCompareIsDueInTime(t *testing.T) {
	t.Parallel()
	dir := three()
	b := start(t, dir, nil, func(c *Config) { c.Times.FullCompare = time.Hour })
	b.phase(Following)
	dir.remove(1) // and nobody tells
	b.until("a comparison", func() bool { b.clock.pass(30 * time.Minute); return b.contracts() == "a=x c=z" })
	for _, asked := range b.asked() {
		if asked != "cookie " {
			t.Errorf("asked %q", asked)
		}
	}
}

func TestGraceEnds(t *testing.T) {
	t.Parallel()
	dir := three()
	b := start(t, dir, nil, func(c *Config) { c.Times.Grace = time.Hour })
	b.phase(Following)
	dir.remove(0)
	if _, err := b.Sync(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := b.contracts(); got != "a=x b=y c=z" || b.Status().Directory.Missing != 1 {
		t.Errorf("got %s", got)
	}
	// The store's clock is the machine's here: far ahead of it, every grace is over.
	b.until("the end of the grace", func() bool { b.clock.pass(100 * 365 * 24 * time.Hour); return b.contracts() == "b=y c=z" })
}

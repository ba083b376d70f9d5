package radius

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestTheSameTroubleIsLoggedOnceInAWhile(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	var out bytes.Buffer
	text := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.MessageKey || a.Key == slog.LevelKey || a.Key == "stack" {
			return slog.Attr{}
		}
		return a
	}})
	l := newLimitedLog(slog.New(text), func() time.Time { return now })
	from := func(who string) func() []any { return func() []any { return []any{"nas", who} } }
	never := func() []any { t.Error("attributes of a line that is held back were built"); return nil }

	l.warn("a", dropCode, from("a"))
	l.warn("a", dropCode, never)
	l.warn("a", dropLength, from("a")) // another trouble
	l.warn("b", dropCode, from("b"))   // of another
	now = now.Add(logInterval - 1)
	l.warn("a", dropCode, never)
	now = now.Add(1)
	l.warn("a", dropCode, from("a"))
	now = now.Add(logInterval)
	l.warn("a", dropCode, nil)
	l.fail("a", "open", errors.New("closed"))
	l.fail("a", "open", errors.New("closed"))
	l.panicked("broken")
	l.panicked("broken")

	want := "reason=code nas=a\nreason=length nas=a\nreason=code nas=b\n" +
		"reason=code nas=a not_logged=2\nreason=code\nnas=a fail_mode=open error=closed not_logged=0\nerror=broken not_logged=0\n"
	if got := out.String(); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestEveryWayOutHasItsWords(t *testing.T) {
	t.Parallel()
	for r := range reasons {
		if r.String() == "" || strings.Contains(r.String(), " ") || r != forwarded && explanations[r] == "" {
			t.Errorf("reason %d: %q, %q", r, r, explanations[r])
		}
	}
	for i := range injections {
		if i.String() == "" {
			t.Errorf("injection %d has no name", i)
		}
	}
}

package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
)

// impactWriter writes an impact in one format. Without account, nobody asks for
// the accounts.
type impactWriter struct {
	account func(admin.AccountImpact) error
	totals  func(*admin.ImpactTotals) error
}

var impactWriters = map[string]func(io.Writer) impactWriter{
	"table": func(w io.Writer) impactWriter {
		return impactWriter{totals: func(t *admin.ImpactTotals) error { return writeImpactTable(w, t) }}
	},
	"json": func(w io.Writer) impactWriter {
		return impactWriter{totals: func(t *admin.ImpactTotals) error { return writeJSON(w, t) }}
	},
	"csv":    impactCSV,
	"ndjson": impactLines,
}

func writeImpactTable(w io.Writer, t *admin.ImpactTotals) error {
	var b strings.Builder
	fmt.Fprintf(&b, "from %s\nto   %s\n%d of %d accounts change\n", sideText(t.From), sideText(t.To), t.Flipped, t.Contracts)
	writeCounts(&b, "course", t.ByCourse, "(not named)")
	writeCounts(&b, "area", t.ByArea, "(none)")
	_, err := io.WriteString(w, b.String())
	return err
}

func sideText(s admin.Side) string {
	text := fmt.Sprintf("policy %s at %s", s.Policy, s.At.Format(time.RFC3339))
	if len(s.Stages) > 0 {
		text += " with " + strings.Join(s.Stages, ", ")
	}
	return text
}

func writeCounts(b *strings.Builder, title string, counts []admin.Count, none string) {
	if len(counts) == 0 {
		return
	}
	t := plainTable([]string{title, "from", "to", "accounts"})
	for _, c := range counts {
		group := c.Group
		if group == "" {
			group = none
		}
		t.AppendRow([]any{group, c.From, c.To, c.Accounts})
	}
	fmt.Fprintf(b, "\n%s\n", t.Render())
}

// impactCSV writes a line for each change of an account.
func impactCSV(w io.Writer) impactWriter {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"account", "course", "from", "to", "change", "from_rule", "to_rule", "logins", "areas", "requests"}) // kept until totals
	return impactWriter{
		account: func(a admin.AccountImpact) error {
			for _, f := range a.Flips {
				row := []string{a.Account, a.Course, f.From, f.To, direction(f), f.FromRule, f.ToRule,
					strings.Join(f.Logins, ";"), strings.Join(f.Areas, ";"), strings.Join(f.Requests, ";")}
				if err := out.Write(row); err != nil {
					return err
				}
			}
			return nil
		},
		totals: func(*admin.ImpactTotals) error {
			out.Flush()
			return out.Error()
		},
	}
}

func direction(f admin.Flip) string {
	if f.Tighter {
		return "tighter"
	}
	return "looser"
}

// impactLines writes a JSON object for each account, and the totals last.
func impactLines(w io.Writer) impactWriter {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	return impactWriter{
		account: func(a admin.AccountImpact) error { return lines.Encode(a) },
		totals: func(t *admin.ImpactTotals) error {
			return lines.Encode(struct {
				Totals *admin.ImpactTotals `json:"totals"`
			}{t})
		},
	}
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"sekisho/cmd/internal/load"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/urfave/cli/v2"
)

// The ports of RFC 2865 and RFC 2866.
const (
	authPort = 1812
	acctPort = 1813
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:      "bench",
		Usage:     "load a RADIUS server as routers do, and verify every answer",
		ArgsUsage: "SERVER",
		Description: "SERVER is an address, with a port if it is not 1812. Subscribers come from a CSV file with the\n" +
			"columns user, password and filter; with the last one every Accept must have exactly that Filter-Id.\n" +
			"What has no answer in time is sent again, the same octets from the same port, until it was sent as\n" +
			"often as --tries says; then it is lost. Latency counts from when a request was due or first sent.\n" +
			"Exit code 1: an answer was wrong, or none came. Ask no server that others need.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "users", Usage: "CSV `FILE` of subscribers to log in, - is stdin"},
			&cli.StringFlag{Name: "user", Usage: "one subscriber, instead of a file"},
			&cli.StringFlag{Name: "password-file", Usage: "`FILE` with the password of those who have none in theirs"},
			&cli.StringFlag{Name: "secret-file", Usage: "`FILE` with the shared secret", EnvVars: []string{"SEKISHO_BENCH_SECRET_FILE"}},
			&cli.IntFlag{Name: "window", Usage: "`N` requests under way at once, as fast as answers come; 64 without --rate"},
			&cli.Float64Flag{Name: "rate", Usage: "`N` requests a second, whether answers come or not"},
			&cli.DurationFlag{Name: "duration", Usage: "how long to send", Value: 10 * time.Second},
			&cli.BoolFlag{Name: "once", Usage: "a storm: every subscriber logs in once, instead of --duration"},
			&cli.DurationFlag{Name: "timeout", Usage: "how long to wait for an answer", Value: 3 * time.Second},
			&cli.IntFlag{Name: "tries", Usage: "send a request `N` times at the most", Value: 1},
			&cli.IntFlag{Name: "sockets", Usage: "`N` sockets of 256 identifiers", Value: 8},
			&cli.IntFlag{Name: "chap", Usage: "`N`% of the logins by CHAP"},
			&cli.IntFlag{Name: "accounting", Usage: "`N`% of the requests are Interim-Updates, sent to --acct-port"},
			&cli.IntFlag{Name: "acct-port", Usage: "port for accounting", Value: acctPort},
			&cli.BoolFlag{Name: "no-message-authenticator", Usage: "leave it out of logins"},
			outputFlag("table", "json"),
		},
		Before: requires("secret-file"),
		Action: bench,
	}
}

func bench(c *cli.Context) error {
	o, err := benchOptions(c)
	if err != nil {
		return err
	}
	progress, end := benchProgress(c)
	report, err := load.Run(c.Context, o, progress)
	end()
	if err != nil {
		return err
	}
	if c.String("output") == "json" {
		err = writeJSON(c.App.Writer, benchFigures(&report))
	} else {
		err = writeBench(c.App.Writer, &report)
	}
	if err == nil && (report.Answered() == 0 || report.WrongInAll() > 0) {
		return fmt.Errorf("%d answers were right, %d wrong", report.Answered(), report.WrongInAll())
	}
	return err
}

func benchOptions(c *cli.Context) (load.Options, error) {
	o := load.Options{
		Window: c.Int("window"), Rate: c.Float64("rate"), Duration: c.Duration("duration"), Timeout: c.Duration("timeout"),
		Once: c.Bool("once"), Tries: c.Int("tries"),
		Sockets: c.Int("sockets"), CHAP: c.Int("chap"), Accounting: c.Int("accounting"), NoMA: c.Bool("no-message-authenticator"),
	}
	if o.Window == 0 && o.Rate == 0 {
		o.Window = 64
	}
	if o.Once && c.IsSet("duration") {
		return o, usagef("--once ends when every subscriber had its turn: --duration says nothing")
	}
	if o.Tries < 1 {
		return o, usagef("--tries %d: a request is sent at least once", o.Tries)
	}
	var err error
	if o.Auth, err = benchServer(c.Args().First()); err != nil {
		return o, err
	}
	o.Acct = netip.AddrPortFrom(o.Auth.Addr(), uint16(c.Int("acct-port")))
	if o.Secret, err = benchWord(c.String("secret-file"), "shared secret"); err != nil {
		return o, err
	}
	var password []byte
	if file := c.String("password-file"); file != "" {
		if password, err = benchWord(file, "password"); err != nil {
			return o, err
		}
	}
	o.Users, err = benchUsers(c, string(password))
	return o, err
}

func benchServer(text string) (netip.AddrPort, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(addr, authPort), nil
	}
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return at, usagef("expected the address of a server such as 192.0.2.1, 192.0.2.1:1812 or [2001:db8::1]:1812, got %q", text)
	}
	return at, nil
}

// benchWord reads a file that holds a secret and nothing else.
func benchWord(file, what string) ([]byte, error) {
	octets, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the %s: %w", what, err)
	}
	word := bytes.TrimRight(octets, "\r\n")
	if len(word) == 0 {
		return nil, fmt.Errorf("%s: empty; expected the %s", file, what)
	}
	return word, nil
}

func benchUsers(c *cli.Context, password string) ([]load.User, error) {
	if user := c.String("user"); user != "" {
		return []load.User{{Name: user, Password: password}}, nil
	}
	var file io.Reader = c.App.Reader
	name := c.String("users")
	switch name {
	case "":
		return nil, usagef("expected subscribers: --users FILE or --user NAME")
	case "-":
		name = "stdin"
	default:
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		file = f
	}
	return load.ReadUsers(name, file, password)
}

// benchProgress tells on a terminal how it goes; end takes the line away.
func benchProgress(c *cli.Context) (progress func(load.Report), end func()) {
	if !isTerminal(c.App.ErrWriter) {
		return nil, func() {}
	}
	return func(r load.Report) {
			fmt.Fprintf(c.App.ErrWriter, "\r\x1b[K%.0f s  %.0f/s  again %d  lost %d  wrong %d  p99 %s", r.Took.Seconds(), rateOf(&r), r.Resent, r.Lost, r.WrongInAll(), latency(r.Latency, 99))
		}, func() {
			fmt.Fprintf(c.App.ErrWriter, "\r\x1b[K")
		}
}

func rateOf(r *load.Report) float64 { return float64(r.Answered()) / r.Took.Seconds() }

func latency(h *hdrhistogram.Histogram, percent float64) time.Duration {
	return time.Duration(h.ValueAtPercentile(percent)) * time.Microsecond
}

// percents are those that are shown of the latency.
var percents = []float64{50, 90, 99, 99.9, 100}

func writeBench(w io.Writer, r *load.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "sent       %d in %.1f s, and %d times again\n", r.Sent, r.Took.Seconds(), r.Resent)
	fmt.Fprintf(&b, "answered   %d, %.0f/s: %d accepted, %d rejected, %d accounted\n", r.Answered(), rateOf(r), r.Accepted, r.Rejected, r.Accounted)
	b.WriteString(benchTries(r.Tries))
	b.WriteString(benchPace(r))
	fmt.Fprintf(&b, "lost       %d\nlate       %d, after another answer or the end of waiting\n", r.Lost, r.Late)
	fmt.Fprintf(&b, "not sent   %d, for want of identifiers\nwrong      %d\n", r.Held, r.WrongInAll())
	for _, what := range slices.Sorted(maps.Keys(r.Wrong)) {
		fmt.Fprintf(&b, "           %d %s\n", r.Wrong[what], what)
	}
	b.WriteString("latency   ")
	for _, percent := range percents {
		fmt.Fprintf(&b, " p%g %s", percent, latency(r.Latency, percent))
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}

// benchTries says how often had to be sent what was answered; nothing where
// once was enough for all.
func benchTries(tries []uint64) string {
	if len(tries) < 2 {
		return ""
	}
	line := "tries     "
	for i, n := range tries {
		line += fmt.Sprintf(" %d: %d", i+1, n)
	}
	return line + "\n"
}

// benchPace says how evenly answers came; nothing of less than two seconds.
func benchPace(r *load.Report) string {
	first, worst, last, ok := r.Pace()
	if !ok {
		return ""
	}
	return fmt.Sprintf("goodput    %d in the first second of sending, %d in the worst after it, %d in the last\n", first, worst, last)
}

// benchFigures is a report for programs; times are microseconds.
func benchFigures(r *load.Report) any {
	micros := map[string]int64{}
	for _, percent := range percents {
		micros[fmt.Sprintf("p%g", percent)] = r.Latency.ValueAtPercentile(percent)
	}
	return struct {
		Sent      uint64            `json:"sent"`
		Resent    uint64            `json:"resent"`
		Accepted  uint64            `json:"accepted"`
		Rejected  uint64            `json:"rejected"`
		Accounted uint64            `json:"accounted"`
		Tries     []uint64          `json:"tries"`
		Lost      uint64            `json:"lost"`
		Late      uint64            `json:"late"`
		NotSent   uint64            `json:"not_sent"`
		Wrong     map[string]uint64 `json:"wrong"`
		Seconds   float64           `json:"seconds"`
		Sending   float64           `json:"sending_seconds"`
		Rate      float64           `json:"rate"`
		Goodput   []uint64          `json:"goodput"`
		Latency   map[string]int64  `json:"latency_us"`
	}{
		r.Sent, r.Resent, r.Accepted, r.Rejected, r.Accounted, r.Tries, r.Lost, r.Late, r.Held, r.Wrong,
		r.Took.Seconds(), r.Sending.Seconds(), rateOf(r), r.Goodput, micros,
	}
}

package admin

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dyingDaemon takes connections, says the beginning of an answer, and hangs up.
func dyingDaemon(t *testing.T, beginning string) *Client {
	t.Helper()
	dir, err := os.MkdirTemp("", "dying") // the names of t.TempDir are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		os.RemoveAll(dir)
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 512))
			_, _ = io.WriteString(conn, beginning)
			conn.Close()
		}
	}()
	c := Dial(filepath.Join(dir, "s"))
	t.Cleanup(c.Close)
	return c
}

func TestADaemonThatDiesSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	const nothing, half = "", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
	const changed, unchanged = "it is not known whether anything was changed", "nothing was changed by this"
	for name, tt := range map[string]struct {
		beginning string
		ask       func(context.Context, *Client) error
		says      string
	}{
		"before it answers": {nothing, func(ctx context.Context, c *Client) error { _, err := c.Status(ctx); return err }, unchanged},
		"within its answer": {half, func(ctx context.Context, c *Client) error { _, err := c.Status(ctx); return err }, unchanged},
		"before it answers a change": {nothing, func(ctx context.Context, c *Client) error {
			_, err := c.AddOverride(ctx, NewOverride{}, "", false)
			return err
		}, changed},
		"within the answer to a change": {half, func(ctx context.Context, c *Client) error {
			_, err := c.RevokeOverride(ctx, "x", 0, "r", false)
			return err
		}, changed},
		"while a file is sent": {nothing, func(ctx context.Context, c *Client) error {
			_, err := c.ImportOverrides(ctx, "f", strings.NewReader(strings.Repeat("x", 8<<20)), OverrideImport{})
			return err
		}, changed},
		"within lines": {half, func(ctx context.Context, c *Client) error {
			_, err := c.ProbeNAS(ctx, "n", ProbeQuestion{}, func(ProbeLine) error { return nil })
			return err
		}, changed},
		"within a file": {half, func(ctx context.Context, c *Client) error { return c.ExportOverrides(ctx, OverrideQuery{}, io.Discard) }, unchanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.ask(t.Context(), dyingDaemon(t, tt.beginning))
			var broken *BrokenOffError
			if !errors.As(err, &broken) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "ended, or hung up") {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

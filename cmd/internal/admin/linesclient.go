package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
)

// answerLines posts a question whose answer comes as JSON values, one a line,
// and yields each. An error ends the sequence; without one it ends where the
// answer does, which is too early for whoever still awaits a last line.
func answerLines[T any](ctx context.Context, c *Client, path string, q any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		body, err := json.Marshal(q)
		if err != nil {
			yield(none, err)
			return
		}
		resp, err := c.ask(ctx, question{method: http.MethodPost, path: path, body: bytes.NewReader(body)})
		if err != nil {
			yield(none, err)
			return
		}
		defer resp.Body.Close()
		for lines := json.NewDecoder(resp.Body); ; {
			var line T
			switch err := lines.Decode(&line); {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(none, c.unread(http.MethodPost, err))
				return
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

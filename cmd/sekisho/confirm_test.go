package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestOnlyYesIsYes(t *testing.T) {
	t.Parallel()
	for answer, yes := range map[string]bool{"y\n": true, "Yes\n": true, " y \n": true, "n\n": false, "\n": false, "": false, "yep\n": false, "y": true} {
		var asked bytes.Buffer
		c := cli.NewContext(&cli.App{Reader: strings.NewReader(answer), ErrWriter: &asked}, nil, nil)
		if err := confirm(c, "Really?"); (err == nil) != yes || err != nil && !errors.Is(err, errDeclined) {
			t.Errorf("%q: %v", answer, err)
		}
		if !strings.HasPrefix(asked.String(), "Really? [y/N] ") {
			t.Errorf("asked %q", &asked)
		}
		if asks(c) {
			t.Error("a reader that is no terminal is asked")
		}
	}
}

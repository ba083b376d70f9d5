package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"

	"github.com/urfave/cli/v2"
)

// daemonFlags say which daemon the verbs ask.
func daemonFlags() []cli.Flag {
	return []cli.Flag{
		socketFlag(),
		&cli.StringFlag{Name: "server", Usage: "ask the daemon at this `URL`, such as https://sekisho.example:8443, instead of a socket", EnvVars: []string{"SEKISHO_SERVER"}},
		&cli.StringFlag{Name: "token-file", Usage: "the `FILE` with the token for --server", EnvVars: []string{"SEKISHO_TOKEN_FILE"}},
		&cli.StringFlag{Name: "ca-file", Usage: "the `FILE` with the certificates that may have signed that of --server, instead of the system's", EnvVars: []string{"SEKISHO_CA_FILE"}},
	}
}

func socketFlag() cli.Flag {
	return &cli.StringFlag{
		Name:    "socket",
		Usage:   "unix socket of the daemon's admin API: a `PATH`",
		Value:   config.DefaultSocket,
		EnvVars: []string{"SEKISHO_SOCKET"},
	}
}

// dial makes a client of the daemon that the command line means.
func dial(c *cli.Context) (*admin.Client, error) {
	if c.String("server") == "" {
		if c.IsSet("token-file") {
			return nil, usagef("--token-file is for --server; at the socket the kernel says who asks")
		}
		return admin.Dial(c.String("socket")), nil
	}
	r := admin.Remote{Server: c.String("server")}
	var err error
	if r.Token, err = readToken(c.String("token-file"), c.App.ErrWriter); err != nil {
		return nil, err
	}
	if name := c.String("ca-file"); name != "" {
		if r.Roots, err = readRoots(name); err != nil {
			return nil, err
		}
	}
	client, err := admin.DialRemote(r)
	if err != nil {
		return nil, usagef("--server: %w", err)
	}
	return client, nil
}

// readToken reads a file that holds one token and nothing else, and warns of one
// that others may read.
func readToken(name string, warnings io.Writer) (string, error) {
	if name == "" {
		return "", usagef("--server wants --token-file; sekisho token create makes a token")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("--token-file: %s: expected one token and nothing else", name)
	}
	if info, err := os.Stat(name); err == nil && info.Mode()&0o007 != 0 {
		fmt.Fprintf(warnings, "warning: --token-file: every user of this machine may read %s (mode %04o): chmod 600 %s\n", name, info.Mode().Perm(), name)
	}
	return token, nil
}

func readRoots(name string) (*x509.CertPool, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("--ca-file: " + name + ": expected certificates in PEM")
	}
	return roots, nil
}

// asking makes an action of a function that asks the daemon.
func asking(fn func(*cli.Context, *admin.Client) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		client, err := dial(c)
		if err != nil {
			return err
		}
		defer client.Close()
		return fn(c, client)
	}
}

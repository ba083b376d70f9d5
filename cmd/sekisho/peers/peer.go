package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// peer is a proxy with its configuration.
type peer struct {
	name       string
	port, acct uint16 // for logins and accounting
	command    []string
	file       string   // of its configuration
	text       string   // of that, for one AAA server
	spare      []string // what is to be replaced in it for a second one, and by what
}

// peers are all of them; sekisho comes first. The port of a proxy stays the same
// for all of its configurations.
func (s *settings) peers() ([]peer, error) {
	binary, err := filepath.Abs(s.sekisho)
	if err != nil {
		return nil, err
	}
	freeradius := func(modules, decision, cleanup string) string {
		return strings.NewReplacer("MODULES", modules, "DECISION", decision, "CLEANUP", cleanup).Replace(freeradiusConf)
	}
	site, rsp := filepath.Join(s.dir, "sekisho.yaml"), filepath.Join(s.dir, "radsecproxy.conf")
	list := []peer{
		{name: "sekisho", command: []string{binary, "serve", "-c", site}, file: site, text: sekishoSite, spare: sekishoSpare},
		{
			name: "FreeRADIUS, a users file", command: []string{"freeradius", "-f", "-d", s.dir, "-n", "files"},
			file: filepath.Join(s.dir, "files.conf"), text: freeradius(filesModule, filesDecision, "5"), spare: freeradiusSpare,
		},
		{ // no threads, and nothing is remembered of what was answered: its fastest
			name: "FreeRADIUS, by the name, one thread", command: []string{"freeradius", "-ft", "-d", s.dir, "-n", "regex"},
			file: filepath.Join(s.dir, "regex.conf"), text: freeradius("", regexDecision, "0"), spare: freeradiusSpare,
		},
		{name: "radsecproxy, by the name", command: []string{"radsecproxy", "-f", "-c", rsp}, file: rsp, text: radsecproxyConf, spare: radsecproxySpare},
	}
	for i := range list {
		if list[i].port, err = freePort(); err != nil {
			return nil, err
		}
		if list[i].acct, err = freePort(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// configure writes a configuration.
func (p *peer) configure(text, dir string, h *home) error {
	return os.WriteFile(p.file, []byte(p.fill(text, dir, h)), 0o600)
}

// fill puts into a configuration what only a run knows.
func (p *peer) fill(text, dir string, h *home) string {
	number := func(port uint16) string { return strconv.Itoa(int(port)) }
	return strings.NewReplacer("DIR", dir, "PORT", number(p.port), "ACCT", number(p.acct), "NAS", nasSecret, "AAA", homeSecret,
		"HOME0", number(h.port(0)), "HOME1", number(h.port(1)), "HOME2", number(h.port(2)), "HOME3", number(h.port(3))).Replace(text)
}

// prepare configures all of these, of which sekisho is the first, and gives them
// the subscribers.
func (s *settings) prepare(ctx context.Context, peers []peer, h *home) error {
	if err := os.WriteFile(filepath.Join(s.dir, "dictionary"), nil, 0o600); err != nil {
		return err
	}
	if err := s.writeUsersFile(); err != nil {
		return err
	}
	for i := range peers {
		if err := peers[i].configure(peers[i].text, s.dir, h); err != nil {
			return err
		}
	}
	return s.importContracts(ctx, &peers[0])
}

func freePort() (uint16, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
}

func (s *settings) importContracts(ctx context.Context, sekisho *peer) error {
	if err := s.writeContracts(); err != nil {
		return err
	}
	return s.importFile(ctx, sekisho, filepath.Join(s.dir, "contracts.csv"))
}

// importFile has a daemon of its own take contracts in.
func (s *settings) importFile(ctx context.Context, sekisho *peer, csv string) error {
	p, err := s.start(ctx, sekisho)
	if err != nil {
		return err
	}
	defer p.stop()
	door := []string{"--socket", filepath.Join(s.dir, "admin.sock")}
	for began := time.Now(); ; { // it opens after the first answer
		err := exec.CommandContext(ctx, sekisho.command[0], append(door, "status")...).Run()
		if err == nil {
			break
		}
		if time.Since(began) > time.Minute {
			return fmt.Errorf("the daemon's door stays shut: %w", err)
		}
	}
	out, err := exec.CommandContext(ctx, sekisho.command[0], append(door, "contracts", "import", "--yes", csv)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("importing contracts: %w: %s", err, out)
	}
	return nil
}

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
	name    string
	port    uint16
	command []string
}

// peers writes the configurations of all of them; sekisho comes first.
func (s *settings) peers(ctx context.Context, h *home) ([]peer, error) {
	fill := func(port uint16, text string) string {
		return strings.NewReplacer("MODULES", "", "DECISION", "", "DIR", s.dir, "PORT", strconv.Itoa(int(port)), "NAS", nasSecret, "AAA", homeSecret,
			"HOME0", strconv.Itoa(int(h.port(0))), "HOME1", strconv.Itoa(int(h.port(1)))).Replace(text)
	}
	sekisho, err := filepath.Abs(s.sekisho)
	if err != nil {
		return nil, err
	}
	site, rsp := filepath.Join(s.dir, "sekisho.yaml"), filepath.Join(s.dir, "radsecproxy.conf")
	list := []peer{
		{"sekisho", 0, []string{sekisho, "serve", "-c", site}},
		{"FreeRADIUS, a users file", 0, []string{"freeradius", "-f", "-d", s.dir, "-n", "files"}},
		{"FreeRADIUS, by the name, one thread", 0, []string{"freeradius", "-ft", "-d", s.dir, "-n", "regex"}},
		{"radsecproxy, by the name", 0, []string{"radsecproxy", "-f", "-c", rsp}},
	}
	freeradius := func(modules, decision, cleanup string) string {
		return strings.NewReplacer("MODULES", modules, "DECISION", decision, "CLEANUP", cleanup).Replace(freeradiusConf)
	}
	files := []struct{ name, text string }{
		{site, sekishoSite},
		{filepath.Join(s.dir, "files.conf"), freeradius(filesModule, filesDecision, "5")},
		{filepath.Join(s.dir, "regex.conf"), freeradius("", regexDecision, "0")}, // no threads and no duplicates: its fastest
		{rsp, radsecproxyConf},
	}
	for i := range list {
		if list[i].port, err = freePort(); err != nil {
			return nil, err
		}
		if err := os.WriteFile(files[i].name, []byte(fill(list[i].port, files[i].text)), 0o600); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, "dictionary"), nil, 0o600); err != nil {
		return nil, err
	}
	if err := s.writeUsersFile(); err != nil {
		return nil, err
	}
	return list, s.importContracts(ctx, &list[0])
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

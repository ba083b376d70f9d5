//go:build realparts

package realparts

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sekisho/radius/radiustest"
)

var updateSeeds = flag.Bool("update-seeds", false, "keep packets seen on the wire as seeds of radius's fuzz targets")

// seedDir is the corpus of package radius.
const seedDir = "../../../radius/testdata/fuzz"

// maxSeeds bounds how many packets of one test become seeds of one target.
const maxSeeds = 6

// What FuzzRehide in package radius takes hidden values to be bound to.
var rehideKeying = keying{"tokyo-aaa-secret", bytes.Repeat([]byte{2}, 16)}

// keepSeeds makes the packets of a wire the seeds real-NAME-N of the fuzz targets,
// one of each shape, when the tests run with -update-seeds. Otherwise it wants
// those of an earlier run to be there.
func keepSeeds(t testing.TB, name string, wire *Wire) {
	t.Helper()
	wire.Settle(t)
	for target, seeds := range seedsOf(t, wire) {
		if *updateSeeds {
			writeSeeds(t, filepath.Join(seedDir, target), name, seeds)
		}
		if _, err := os.Stat(filepath.Join(seedDir, target, "real-"+name+"-0")); err != nil {
			t.Errorf("the seeds that this test makes are not there; go test -tags realparts -update-seeds: %v", err)
		}
	}
}

// seedsOf turns packets into the arguments of fuzz targets.
func seedsOf(t testing.TB, wire *Wire) map[string][]string {
	t.Helper()
	fromNAS := shapes(wire, func(p WirePacket) bool {
		return p.To.Port() == sekishoAuthPort || p.To.Port() == sekishoAcctPort
	})
	requests := map[string][]byte{} // authenticators of sekisho's requests
	for _, p := range wire.filter(func(p WirePacket) bool { return p.To.Port() == aaaAuthPort }) {
		requests[fmt.Sprint(p.From, p.Raw[1])] = p.Raw[4:20]
	}
	fromAAA := shapes(wire, func(p WirePacket) bool {
		return p.From.Port() == aaaAuthPort || p.From.Port() == aaaAcctPort
	})
	seeds := map[string][]string{}
	for _, p := range fromNAS {
		seeds["FuzzParse"] = append(seeds["FuzzParse"], seedOctets(p.Raw))
		seeds["FuzzFromNAS"] = append(seeds["FuzzFromNAS"], "bool(false)\n"+seedByte(p.Code())+seedOctets(p.Raw[20:]))
	}
	for _, p := range fromAAA {
		seeds["FuzzFromAAA"] = append(seeds["FuzzFromAAA"], "bool(false)\n"+seedByte(p.Code())+seedOctets(p.Raw[20:]))
		if p.Code() == codeAccessAccept {
			seeds["FuzzCopyAttributes"] = append(seeds["FuzzCopyAttributes"], seedByte(0)+seedOctets(p.Raw[20:]))
			content := rebound(t, p, requests[fmt.Sprint(p.To, p.Raw[1])])
			seeds["FuzzRehide"] = append(seeds["FuzzRehide"], seedOctets(content))
		}
	}
	return seeds
}

// shapes picks the first packet of each code and list of attribute types.
func shapes(wire *Wire, keep func(WirePacket) bool) []WirePacket {
	var list []WirePacket
	seen := map[string]bool{}
	for _, p := range wire.filter(keep) {
		shape := fmt.Sprint(p.Code(), p.Types())
		if !seen[shape] && len(list) < maxSeeds {
			seen[shape] = true
			list = append(list, p)
		}
	}
	return list
}

// rebound hides the hidden values of an Accept again, as FuzzRehide expects them.
func rebound(t testing.TB, p WirePacket, authenticator []byte) []byte {
	t.Helper()
	packet, err := radiustest.Decode(p.Raw)
	if err != nil {
		t.Fatal(err)
	}
	from := keying{aaaSecret, authenticator}
	packet.Attributes = eachHidden(packet.Attributes, func(c cipher, value []byte) []byte {
		return rehideKeying.hide(c, from.reveal(c, value))
	})
	return packet.Encode()[20:]
}

// writeSeeds replaces the seeds of one test in a target's corpus.
func writeSeeds(t testing.TB, dir, name string, seeds []string) {
	t.Helper()
	old, err := filepath.Glob(filepath.Join(dir, "real-"+name+"-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	for i, seed := range seeds {
		WriteFile(t, dir, fmt.Sprintf("real-%s-%d", name, i), "go test fuzz v1\n"+seed)
	}
}

func seedByte(b byte) string { return fmt.Sprintf("byte('\\x%02x')\n", b) }

func seedOctets(octets []byte) string {
	var b strings.Builder
	for _, o := range octets {
		fmt.Fprintf(&b, "\\x%02x", o)
	}
	return fmt.Sprintf("[]byte(\"%s\")\n", b.String())
}

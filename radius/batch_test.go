package radius_test

import (
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"testing"

	"sekisho/radius/radiustest"
)

// TestTogetherAsOneByOne sends random requests one by one, each when the one
// before is answered, and then all at once to another proxy: the answers must
// be the same octets, and the same must be counted.
func TestTogetherAsOneByOne(t *testing.T) {
	t.Parallel()
	const count = 200 // with room for all in the buffers of the fakes
	requests := make([][]byte, count)
	random := rand.New(rand.NewPCG(8, 8))
	for id := range requests {
		requests[id] = anyRequest(t, random, byte(id))
	}
	one, all := start(t, answering(anyAnswer)), start(t, answering(anyAnswer))
	want := map[byte]string{}
	for id, r := range requests {
		must(t, one.nas.Send(r))
		if !spoilt(id) {
			want[byte(id)] = fmt.Sprintf("%x", one.answer(one.nas, r))
		}
	}
	one.quiet(one.nas)
	for _, r := range requests {
		must(t, all.nas.Send(r))
	}
	got := map[byte]string{}
	for range want {
		b, err := all.nas.Receive(patience)
		must(t, err)
		got[b[1]] = fmt.Sprintf("%x", b)
	}
	all.quiet(all.nas)
	if !maps.Equal(got, want) {
		t.Errorf("together answered by\n%v, one by one by\n%v", got, want)
	}
	counted := func(s *site) string {
		stats := s.proxy.Stats()
		return fmt.Sprint(stats.NAS, stats.Decisions, stats.AAA["tokyo-1"].Sent, stats.AAA["tokyo-1"].Received)
	}
	if one, all := counted(one), counted(all); one != all {
		t.Errorf("one by one counted\n%s, together\n%s", one, all)
	}
}

// spoilt are the requests that must be dropped.
func spoilt(id int) bool { return id%7 == 3 }

func anyRequest(t *testing.T, random *rand.Rand, id byte) []byte {
	attributes := fmt.Sprintf("50 12 *16 01 0e 'u%d@atson.net' 1f 06 %08x 05 06 %08x", random.IntN(4), random.Uint32(), random.Uint32())
	for range random.IntN(3) {
		attributes += fmt.Sprintf(" 21 04 %04x", random.IntN(1<<16))
	}
	if random.IntN(2) == 0 {
		attributes += fmt.Sprintf(" 1a 0c 00000009 01 06 %08x", random.Uint32())
	}
	b := signedAccess(t, id, fmt.Sprintf("%032x", random.Uint64()), attributes)
	if spoilt(int(id)) {
		b[len(b)-1] ^= 1
	}
	return b
}

// anyAnswer is an answer that only the content of the request determines.
func anyAnswer(r *radiustest.Request) [][]byte {
	const callingStationID, replyMessage, filterID, class = 31, 18, 11, 25
	sum := crc32.ChecksumIEEE(r.Values(callingStationID)[0])
	text := fmt.Appendf(nil, "%0*x", 8+sum%3, sum)
	switch sum % 5 {
	case 0:
		return [][]byte{r.Reply(radiustest.AccessReject, radiustest.Attribute{Type: replyMessage, Value: text})}
	case 1:
		return [][]byte{r.Reply(radiustest.AccessAccept, radiustest.Attribute{Type: filterID, Value: text}, radiustest.Attribute{Type: class, Value: text})}
	}
	return [][]byte{r.Reply(radiustest.AccessAccept, radiustest.Attribute{Type: class, Value: text})}
}

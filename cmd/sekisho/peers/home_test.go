package main

import (
	"bytes"
	"testing"

	"sekisho/radius/radiustest"
)

func TestHomeAnswers(t *testing.T) {
	t.Parallel()
	packet := func(code byte, attributes ...radiustest.Attribute) []byte {
		octets := (&radiustest.Packet{Code: code, ID: 7, Attributes: attributes}).Encode()
		if code == radiustest.AccountingRequest {
			radiustest.Sign(octets, make([]byte, 16), []byte(homeSecret))
		} else {
			radiustest.SignMA(octets, make([]byte, 16), []byte(homeSecret))
		}
		return octets
	}
	state := radiustest.Attr(radiustest.ProxyState, "s")
	tests := map[string]struct {
		octets []byte
		want   byte // 0: refused
	}{
		"a login":                               {packet(radiustest.AccessRequest, radiustest.MA(), state), radiustest.AccessAccept},
		"accounting":                            {packet(radiustest.AccountingRequest, state), radiustest.AccountingResponse},
		"Status-Server":                         {packet(statusServer, radiustest.MA()), radiustest.AccessAccept},
		"a login without Message-Authenticator": {packet(radiustest.AccessRequest, state), 0},
		"accounting that somebody has changed":  {bytes.Replace(packet(radiustest.AccountingRequest, state), []byte("s"), []byte("t"), 1), 0},
		"something else":                        {packet(radiustest.CoARequest, radiustest.MA()), 0},
		"no packet":                             {[]byte{1, 2, 3}, 0},
	}
	for name, test := range tests {
		h := &home{}
		octets := h.answer(test.octets)
		if refused := h.refused.Load() == 1; refused != (test.want == 0) || refused != (octets == nil) {
			t.Errorf("%s: refused %v, answer %x", name, refused, octets)
			continue
		}
		if test.want != 0 && (octets[0] != test.want || !radiustest.CheckSign(octets, test.octets[4:20], []byte(homeSecret))) {
			t.Errorf("%s: %x", name, octets)
		}
	}
}

func TestLifeOfAHome(t *testing.T) {
	t.Parallel()
	h := &home{manners: manners{life: 2}}
	left := [2]int{h.life, h.life} // of its two ports
	if h.over(&left[0]) {
		t.Error("it is over before it is counted")
	}
	h.counting.Store(true)
	for i, want := range []bool{false, false, true, true} {
		if got := h.over(&left[0]); got != want || (h.silent.Load() != nil) != want {
			t.Errorf("request %d: over %v, silent since %v", i+1, got, h.silent.Load())
		}
	}
	since := h.silent.Load()
	for range h.life {
		h.over(&left[1])
	}
	if !h.over(&left[1]) || h.silent.Load() != since {
		t.Error("the other port lives on, or has made it silent anew")
	}
}

package store

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"sekisho/engine"
)

// contractRow is how a contract lies in the file. Numbers are never reused;
// readers pass over those that they do not know.
type contractRow struct {
	Account string   `cbor:"1,keyasint,omitempty"` // only where it is not the key itself
	Course  string   `cbor:"2,keyasint,omitempty"`
	Address string   `cbor:"3,keyasint,omitempty"`
	Area    string   `cbor:"4,keyasint,omitempty"`
	Segment string   `cbor:"5,keyasint,omitempty"`
	Options []string `cbor:"6,keyasint,omitempty"`
	Status  string   `cbor:"7,keyasint,omitempty"`
}

// encodeContract gives the same bytes for the same contract, so that bytes can
// be compared to see whether a contract changed.
func encodeContract(key string, c engine.Contract) ([]byte, error) {
	r := contractRow(c)
	if r.Account == key {
		r.Account = ""
	}
	return cbor.Marshal(r)
}

func decodeContract(key string, value []byte) (engine.Contract, error) {
	var r contractRow
	if err := cbor.Unmarshal(value, &r); err != nil {
		return engine.Contract{}, fmt.Errorf("contract %s: %w: %w", key, ErrDamaged, err)
	}
	if r.Account == "" {
		r.Account = key
	}
	return engine.Contract(r), nil
}

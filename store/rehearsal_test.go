package store_test

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"sekisho/store"
	"sekisho/store/storetest"
)

// TestRehearsalChangesNothing compares the whole file before and after.
func TestRehearsalChangesNothing(t *testing.T) {
	t.Parallel()
	s, by := storetest.Open(t), store.By{Who: "test"}
	there, _, err := s.AddOverride(by, store.Override{Account: "u1", Kind: store.Grant, Action: "open", Reason: "r", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	s.Watch(func(store.Changed) { t.Error("somebody was told of a change") })
	before, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	r, until := s.Rehearsal(), time.Now().Add(time.Hour)
	made, existed, err := r.AddOverride(by, store.Override{Account: "u2", Kind: store.Grant, Action: "open", Reason: "r"})
	if err != nil || existed || made.Account != "u2" || made.Version != 1 {
		t.Errorf("add: %+v, %v", made, err)
	}
	if made, existed, err = r.AddOverride(by, store.Override{Account: "u1", Kind: store.Grant, Action: "open", Reason: "r", Key: "k"}); err != nil || !existed || made.ID != there.ID {
		t.Errorf("add again: %+v, %v", made, err)
	}
	if got, err := r.RenewOverride(by, there.ID, 1, until, "longer"); err != nil || got.Version != 2 || !got.Until.Equal(until) {
		t.Errorf("renew: %+v, %v", got, err)
	}
	if got, err := r.RevokeOverride(by, there.ID, 0, "over"); err != nil || got.Revoked == nil {
		t.Errorf("revoke: %+v, %v", got, err)
	}
	var fields store.FieldErrors
	if _, _, err := r.AddOverride(by, store.Override{Account: "u2", Kind: "give"}); !errors.As(err, &fields) {
		t.Errorf("a wrong one: %v", err)
	}
	if _, err := r.RenewOverride(by, there.ID, 7, until, "longer"); !errors.Is(err, store.ErrVersion) {
		t.Errorf("another version: %v", err)
	}
	if _, err := r.RevokeOverride(by, there.ID, 0, ""); !errors.As(err, &fields) {
		t.Errorf("without a reason: %v", err)
	}
	after, err := os.ReadFile(s.Path())
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file is another one now, %v", err)
	}
}

package store

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sekisho/engine"
)

func TestGuards(t *testing.T) {
	t.Parallel()
	before := numbered(10, "old")
	tests := []struct {
		name    string
		rows    []engine.Contract
		guards  Guards
		refused string
	}{
		{"as many deletes as may be", before[3:], Guards{MaxDeletes: 3, MaxDeletePercent: 30, MaxChanges: 3, MinContracts: 7}, ""},
		{"more deletes", before[3:], Guards{MaxDeletes: 2}, "max-deletes 2: 3 of 10 contracts would be deleted; max-deletes 3 approves it"},
		{"no deletes", before[1:], Guards{MaxDeletes: -1}, "max-deletes 0: 1 of 10 contracts would be deleted; max-deletes 1 approves it"},
		{"more of a hundred", before[3:], Guards{MaxDeletePercent: 29}, "max-delete-percent 29: 30% of 10 contracts would be deleted; max-delete-percent 30 approves it"},
		{"more changes", append(numbered(2, "new"), before[3:]...), Guards{MaxChanges: 2}, "max-changes 2: 3 changes would be made; max-changes 3 approves it"},
		{"too few rows", before[3:], Guards{MinContracts: 8}, "min-contracts 8: the import has 7 contracts, the store 10; min-contracts 7 approves it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openTemp(t, before...)
			opts := ImportOptions{Replace: true, Guards: test.guards, Diff: 1}
			report, err := s.ImportContracts(t.Context(), tester, each(test.rows...), opts)
			n, _ := s.Count()
			if test.refused == "" {
				if err != nil || n != len(test.rows) {
					t.Errorf("%d contracts, %v", n, err)
				}
				return
			}
			var guard *GuardError
			if !errors.As(err, &guard) || !strings.HasSuffix(err.Error(), "refused by "+test.refused) || n != len(before) {
				t.Errorf("%d contracts, %v; want %s", n, err, test.refused)
			}
			if report.changes() == 0 || report.Diff == nil {
				t.Errorf("report %+v", report)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s := openTemp(t, contract("B", "old"), contract("c", "old"), contract("d", "old"))
		s.direct = direct
		rows := each(contract("a", "new"), contract("B", "new"), contract("d", "old"))
		report, err := s.ImportContracts(t.Context(), tester, rows, ImportOptions{Replace: true, DryRun: true, Diff: 2})
		want := &ContractDiff{More: 1, Changes: []ContractChange{
			{Account: "a", After: &ContractAsStored{Account: "a", Course: "new"}},
			{Account: "B", Before: &ContractAsStored{Account: "B", Course: "old"}, After: &ContractAsStored{Account: "B", Course: "new"}},
		}}
		if diff := cmp.Diff(want, report.Diff); diff != "" || err != nil {
			t.Error(diff, err)
		}
		expect(t, s, "B=old c=old d=old")
	})
}

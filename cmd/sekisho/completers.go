package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/engine/policyfile"
)

const (
	completeTime = 2 * time.Second // a key was pressed: nobody waits longer
	completeMost = 50
)

// completer finds what a word may become; without a daemon it finds nothing.
type completer func(ctx context.Context, daemon *admin.Client, word string) []string

// completers are by the names of arguments in ArgsUsage, and by flags.
var completers = map[string]completer{
	"USER":       accountsLike,
	"ACCOUNT":    accountsLike,
	"PREFIX":     accountsLike,
	"--account":  accountsLike,
	"ID":         overridesLike,
	"ID|USER":    standingLike,
	"TOKEN-NAME": tokensLike,
	"HELD-ID":    heldLike,
	"CAMPAIGN":   campaignsLike,
	"NAME":       shippedPolicies,
	"--policy":   shippedPolicies,
	"--nas":      nasNames,
	"--box":      boxNames,
	"--area":     areaNames,
	"--action":   actionNames,
}

// takesFile are the arguments and flags that may be names of files.
var takesFile = map[string]bool{
	"FILE": true, "NEW-FILE": true, "--policy": true, "--config": true, "--socket": true, "--html": true, "--junit": true,
	"--token-file": true, "--ca-file": true,
}

func beginning(words []string, prefix string) (found []string) {
	for _, w := range words {
		if strings.HasPrefix(w, prefix) && printable(w) == w {
			found = append(found, w)
		}
	}
	return found
}

func shippedPolicies(_ context.Context, _ *admin.Client, word string) []string {
	return beginning(policyfile.Shipped(), word)
}

// accountsLike leaves the spelling to the daemon, which folds it.
func accountsLike(ctx context.Context, daemon *admin.Client, word string) (found []string) {
	page, _ := daemon.Contracts(ctx, word, "", completeMost) // no daemon: no accounts
	for _, contract := range page.Contracts {
		found = append(found, contract.Account)
	}
	return beginning(found, "")
}

// overridesLike finds those that stand, which is what people change.
func overridesLike(ctx context.Context, daemon *admin.Client, word string) (found []string) {
	page, _ := daemon.Overrides(ctx, admin.OverrideQuery{States: standingStates}, "", completeMost)
	for _, o := range page.Overrides {
		if strings.HasPrefix(o.ID, strings.ToUpper(word)) {
			found = append(found, o.ID+"\t"+printable(o.Account+": "+o.Kind+" "+o.Action))
		}
	}
	return found
}

// standingLike finds the overrides that stand, and the accounts that they stand
// on: others have nothing to be changed.
func standingLike(ctx context.Context, daemon *admin.Client, word string) (found []string) {
	page, _ := daemon.Overrides(ctx, admin.OverrideQuery{Prefix: word, States: standingStates}, "", completeMost)
	for _, o := range page.Overrides {
		if name := printable(o.Account); name == o.Account && !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, name+"\t") }) {
			found = append(found, name+"\t"+printable(o.Kind+" "+o.Action+": "+o.Reason))
		}
	}
	return append(found, overridesLike(ctx, daemon, word)...)
}

func tokensLike(ctx context.Context, daemon *admin.Client, word string) (found []string) {
	tokens, _ := daemon.Tokens(ctx)
	for _, t := range tokens {
		if t.Revoked == nil {
			found = append(found, t.Name)
		}
	}
	return beginning(found, word)
}

func nasNames(ctx context.Context, daemon *admin.Client, word string) (found []string) {
	status, _ := daemon.Status(ctx)
	for _, n := range status.NAS {
		found = append(found, n.Name)
	}
	return beginning(found, word)
}

// boxNames finds the routers that campaigns are at: there are too many sessions
// to look through.
func boxNames(ctx context.Context, daemon *admin.Client, word string) (found []string) {
	campaigns, _ := daemon.Campaigns(ctx)
	for _, c := range campaigns {
		for _, p := range c.Parts {
			if p.Box != "" && !slices.Contains(found, p.Box) {
				found = append(found, p.Box)
			}
		}
	}
	found = beginning(found, word)
	return found[:min(len(found), completeMost)]
}

func campaignsLike(ctx context.Context, daemon *admin.Client, word string) (found []string) {
	campaigns, _ := daemon.Campaigns(ctx)
	for _, c := range campaigns {
		if id := strconv.FormatUint(c.ID, 10); strings.HasPrefix(id, word) {
			found = append(found, id+"\t"+printable(c.Cause))
		}
	}
	return found[:min(len(found), completeMost)]
}

func areaNames(ctx context.Context, daemon *admin.Client, word string) (found []string) {
	status, _ := daemon.Status(ctx)
	for _, n := range status.NAS {
		if n.Area != "" && !slices.Contains(found, n.Area) {
			found = append(found, n.Area)
		}
	}
	return beginning(found, word)
}

func actionNames(ctx context.Context, daemon *admin.Client, word string) []string {
	status, _ := daemon.Status(ctx)
	return beginning(status.Actions, word)
}

func heldLike(ctx context.Context, daemon *admin.Client, word string) []string {
	page, _ := daemon.HeldSync(ctx, "", 1) // no daemon: nothing is held
	if page.Held == nil {
		return nil
	}
	return beginning([]string{page.Held.ID}, word)
}

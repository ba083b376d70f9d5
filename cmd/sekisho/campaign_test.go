package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sekisho/cmd/internal/admin"
	"sekisho/store"
)

// twoBoxes is a daemon with one campaign, at two routers behind one NAS entry
// and at another NAS.
type twoBoxes struct {
	admin.Campaigner
	order admin.CampaignOrder // the last
}

func (b *twoBoxes) Campaigns() []admin.Campaign {
	return []admin.Campaign{{ID: 12, Cause: "a stage", Parts: []admin.CampaignPart{
		{NAS: "farm", Box: "192.0.2.7"}, {NAS: "farm", Box: "192.0.2.8"}, {NAS: "bras-osaka"},
	}}}
}

func (b *twoBoxes) TurnCampaign(_ store.By, _ uint64, _ string, at admin.CampaignOrder) (admin.Campaign, error) {
	b.order = at
	if at.NAS != "farm" {
		return admin.Campaign{}, &admin.Problem{Status: 404, Detail: "not there"}
	}
	return b.Campaigns()[0], nil
}

func openTwoBoxes(t *testing.T) (b *twoBoxes, socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "door") // the names of t.TempDir are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, socket = &twoBoxes{}, filepath.Join(dir, "s")
	routes := admin.NewRoutes()
	admin.MountCampaigns(routes, b)
	admin.MountControl(routes, noStatus{})
	server, err := admin.Serve(routes, admin.Options{Socket: socket})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	return b, socket
}

// noStatus is a daemon that tells its time zone only, which verbs ask for.
type noStatus struct{ admin.Controller }

func (noStatus) Status() admin.Status { return admin.Status{Timezone: "Asia/Tokyo"} }

func TestCampaignIsTurnedWhereTheFlagsSay(t *testing.T) {
	t.Parallel()
	b, socket := openTwoBoxes(t)
	for _, tt := range []struct {
		name  string
		flags []string
		want  admin.CampaignOrder
		code  int
	}{
		{"everywhere behind an entry", []string{"--nas", "farm"}, admin.CampaignOrder{NAS: "farm"}, exitOK},
		{"one router", []string{"--nas", "farm", "--box", "192.0.2.8", "--reason", "x"}, admin.CampaignOrder{NAS: "farm", Box: "192.0.2.8", Reason: "x"}, exitOK},
		{"a NAS that it is not at", []string{"--nas", "kobe"}, admin.CampaignOrder{NAS: "kobe"}, exitNotFound},
		{"an empty NAS", []string{"--nas", ""}, admin.CampaignOrder{}, exitUsage},
		{"an empty box", []string{"--nas", "farm", "--box", ""}, admin.CampaignOrder{}, exitUsage},
		{"a box of no NAS", []string{"--box", "192.0.2.8"}, admin.CampaignOrder{}, exitUsage},
	} {
		for _, verb := range []string{"pause", "resume", "undo"} {
			b.order = admin.CampaignOrder{}
			r := sekisho(t, "", append([]string{"--socket", socket, "campaign", verb, "12"}, tt.flags...)...)
			if r.code != tt.code || b.order != tt.want {
				t.Errorf("%s, %s: code %d, want %d; order %+v; %s", tt.name, verb, r.code, tt.code, b.order, cmp.Or(r.stderr, r.stdout))
			}
		}
	}
	for _, tt := range []struct{ words, want []string }{
		{[]string{"undo", "12", "--nas", "farm", "--box", "192"}, []string{"192.0.2.7", "192.0.2.8"}},
		{[]string{"resume", "1"}, []string{"12"}},
	} {
		if got, _ := completed(t, append([]string{"--socket", socket, "campaign"}, tt.words...)...); !slices.Equal(got, tt.want) {
			t.Errorf("%q is completed by %q, want %q", tt.words, got, tt.want)
		}
	}
}

package daemon_test

import (
	"strings"
	"testing"

	"sekisho/cmd/internal/admin"

	"github.com/google/go-cmp/cmp"
)

func TestExplainSaysWhereEveryFactComesFrom(t *testing.T) {
	t.Parallel()
	s := open(t)
	csv := "account,course,address,options,segment,status\nux1,ケーブルインターネット,simple-fixed,a;b,personal,suspended\n"
	if _, err := s.client.ImportContracts(t.Context(), "more.csv", strings.NewReader(csv), admin.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	const login = "login pattern f.{account}@atson.net"
	tests := []struct {
		name     string
		question admin.Question
		want     []admin.Fact
	}{
		{"a contract that says everything", admin.Question{User: "F.UX1@atson.net", Stages: []string{"all"}, Request: map[string]string{"NAS-Port-Type": "ISDN"}}, []admin.Fact{
			{Name: "account", Value: "ux1", From: login}, {Name: "realm", Value: "atson.net", From: login}, {Name: "form", Value: "fixed", From: login},
			{Name: "course", Value: "ケーブルインターネット", From: "contract store"}, {Name: "address", Value: "simple-fixed", From: "contract store"},
			{Name: "option", Value: "a b", From: "contract store"}, {Name: "segment", Value: "personal", From: "contract store"}, {Name: "status", Value: "suspended", From: "contract store"},
			{Name: "request NAS-Port-Type", Value: "ISDN", From: "question"}, {Name: "stage", Value: "all", From: "question"},
		}},
		{"no contract", admin.Question{User: "f.nobody@atson.net"}, []admin.Fact{
			{Name: "account", Value: "nobody", From: login}, {Name: "realm", Value: "atson.net", From: login}, {Name: "form", Value: "fixed", From: login},
			{Name: "contract", Value: "unknown", From: "contract store"},
		}},
	}
	for _, tt := range tests {
		e, err := s.client.Explain(t.Context(), tt.question)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, e.Facts); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, diff)
		}
		if diff := cmp.Diff([]admin.Fact{{Name: "area", Value: "okinawa", From: "NAS entry of the site file"}}, e.Answers[1].Facts); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, diff)
		}
	}
}

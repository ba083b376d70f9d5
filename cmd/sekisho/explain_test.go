package main

import (
	"strings"
	"testing"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"
)

func TestExplainSaysEveryOutcomeInJapanese(t *testing.T) {
	words := explainLanguages["ja"]
	for _, o := range []engine.Outcome{engine.Won, engine.Shadowed, engine.NoMatch, engine.NotInForce, engine.NotAsked, engine.Weaker, engine.UnknownWords} {
		if words.outcomes[string(o)] == "" {
			t.Errorf("%s has no word", o)
		}
	}
	for in, want := range map[string]string{
		"ended 2008-01-01 00:00:00 JST":                   "終了 2008-01-01 00:00:00 JST",
		`has no date in area "osaka"`:                     `このエリアに日付がありません: "osaka"`,
		"has dates by area, and the NAS has no area":      "エリアごとの日付があり、NASにエリアがありません",
		`the policy does not name the course "ケーブル"`:      `ポリシーにないコース: "ケーブル"`,
		"what it excepts is the case: address fixed":      "除外に該当: address fixed",
		"open, but override beats every rule, in English": "open, but override beats every rule, in English",
	} {
		if got := words.reason(admin.Step{Reason: in}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	step := admin.Step{Reason: "option is nothing, wanted a or b", Key: "option", Want: []string{"a", "b"}}
	if got := words.reason(step); got != "オプション は なし、条件は a または b" {
		t.Errorf("got %q", got)
	}
	if got := explainLanguages["en"].reason(step); got != step.Reason {
		t.Errorf("got %q", got)
	}
}

func TestExplainSaysWhatARouterWithoutProfileGets(t *testing.T) {
	a := admin.Answer{NAS: []string{"quiet"}, Action: "block", Rule: "all", Note: "the NAS has no profile: nothing is injected"}
	for lang, want := range map[string]string{
		"en": "  router     the NAS has no profile: nothing is injected\n",
		"ja": "  ルーター   NASにプロファイルがないため、何も付けません\n",
	} {
		var b strings.Builder
		explainLanguages[lang].answer(&b, a)
		if !strings.Contains(b.String(), want) {
			t.Errorf("got %s", b.String())
		}
	}
}

package main

import (
	"fmt"
	"strings"

	"sekisho/cmd/internal/admin"
)

// explainWords are what explain says of itself in one language. The engine's
// reasons are English; where a step has its parts, they are put together here.
type explainWords struct {
	lang, heading, at, same                   string
	none, because, holds, router, asked       string
	remedy, forever, then, profile            string
	noMatch, or                               string // of a rule's key: got, wanted
	labels, sources, notes, outcomes, reasons map[string]string
}

var explainLanguages = map[string]*explainWords{
	"en": {
		lang: "en", heading: "%s at %s by policy %s", at: "at NAS %s: %s by %s", same: "%s: the same",
		none: "none", because: "because", holds: "holds", router: "router", asked: "asked", remedy: "remedy",
		forever: "for as long as these facts stay", then: "until %s, then %s by %s", profile: "profile %s",
	},
	"ja": {
		lang: "ja", heading: "%s: %s 現在, ポリシー %s", at: "NAS %s: %s (規則 %s)", same: "%s: 同じ",
		none: "なし", because: "理由", holds: "有効期間", router: "ルーター", asked: "調べた規則", remedy: "対応方法",
		forever: "上記の事実が変わらない限り", then: "%s まで。その後は %s (規則 %s)", profile: "プロファイル %s",
		noMatch: "%s は %s、条件は %s", or: " または ",
		labels: map[string]string{
			"account": "アカウント", "realm": "レルム", "form": "ログイン形式", "contract": "契約", "course": "コース", "address": "アドレス",
			"option": "オプション", "segment": "区分", "status": "状態", "area": "エリア", "request": "要求属性", "stage": "仮定の段階",
		},
		sources: map[string]string{
			admin.FromLogin: "ログインの型", admin.FromStore: "契約台帳", admin.FromSite: "サイトファイルのNAS", admin.FromPolicy: "ポリシー",
			admin.FromQuestion: "質問", admin.FromNowhere: "記載なし", "no " + admin.FromLogin + " reads it": "読めるログインの型がない",
		},
		notes: map[string]string{
			"this action needs no attribute":              "この動作に属性は不要です",
			"the NAS has no profile: nothing is injected": "NASにプロファイルがないため、何も付けません",
		},
		outcomes: map[string]string{
			"won": "採用", "shadowed": "上書き", "no match": "不一致", "not in force": "期間外", "not asked": "対象外", "weaker": "より緩い", "void": "無効",
		},
		reasons: map[string]string{
			"begins ": "開始 ", "ended ": "終了 ", "planned, without a date": "予定、日付未定", "the account has no contract": "契約がありません",
			"has dates by area, and the NAS has no area": "エリアごとの日付があり、NASにエリアがありません",
			"has no date in area ":                       "このエリアに日付がありません: ", "what it excepts is the case: ": "除外に該当: ",
			"the policy does not name the course ": "ポリシーにないコース: ",
		},
	},
}

func (w *explainWords) label(name string) string {
	if own, ok := w.labels[name]; ok {
		return own
	}
	return name
}

// source puts where a fact comes from into words; a pattern stays as it is.
func (w *explainWords) source(from string) string {
	if own, ok := w.sources[from]; ok {
		return own
	}
	if match, ok := strings.CutPrefix(from, admin.FromLogin+" "); ok && w.sources != nil {
		return w.sources[admin.FromLogin] + " " + match
	}
	return from
}

// reason says why a step did not win.
func (w *explainWords) reason(s admin.Step) string {
	if w.noMatch != "" && len(s.Want) > 0 {
		return fmt.Sprintf(w.noMatch, w.label(s.Key), w.list(s.Got), w.list(s.Want))
	}
	for english, own := range w.reasons {
		if rest, ok := strings.CutPrefix(s.Reason, english); ok {
			return own + rest
		}
	}
	return s.Reason
}

func (w *explainWords) list(values []string) string {
	if len(values) == 0 {
		return w.none
	}
	return strings.Join(values, w.or)
}

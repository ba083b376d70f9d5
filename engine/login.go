package engine

import "strings"

// Login is a User-Name as the policy reads it: account and realm folded, and the form of the pattern that read it.
// All three are empty when no pattern did.
type Login struct{ Account, Realm, Form string }

// A pattern is `before{account}after@realm`, compiled. The realm begins after the last "@" (protocol: RFC 7542 leaves
// decoration to the operator; routers and AAAs agree on the last one).
type pattern struct {
	before, after string
	realm         string
	anyRealm      bool
	form          string
}

// ReadLogin reads a User-Name by the policy's patterns, the first that matches. Any octets are welcome; an account is
// never empty and has no blanks at its ends. It allocates only when something has to be folded.
func (p *Policy) ReadLogin(userName string) Login {
	l, _ := p.readLogin(userName)
	return l
}

// LoginPattern is the pattern that reads a User-Name, as the policy writes it; false when none does.
func (p *Policy) LoginPattern(userName string) (string, bool) {
	_, i := p.readLogin(userName)
	if i < 0 {
		return "", false
	}
	return p.Logins[i].Match, true
}

// readLogin gives the index of the pattern, too; -1 for none.
func (p *Policy) readLogin(userName string) (Login, int) {
	name := Fold(userName)
	local, realm := name, ""
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		local, realm = name[:at], name[at+1:]
	}
	for i := range p.patterns {
		if account, ok := p.patterns[i].account(local, realm); ok {
			return Login{Account: account, Realm: realm, Form: p.patterns[i].form}, i
		}
	}
	return Login{}, -1
}

func (p *pattern) account(local, realm string) (string, bool) {
	if realm != p.realm && !(p.anyRealm && realm != "") {
		return "", false
	}
	rest, ok := strings.CutPrefix(local, p.before)
	if !ok {
		return "", false
	}
	account, ok := strings.CutSuffix(rest, p.after)
	return account, ok && account != "" && account == strings.TrimSpace(account)
}

const (
	accountMark = "{account}"
	realmMark   = "{realm}"
)

// compilePattern gives the reason when the text is no pattern.
func compilePattern(text, form string) (pattern, string) {
	local, realm := text, ""
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		local, realm = text[:at], text[at+1:]
	}
	before, after, ok := strings.Cut(local, accountMark)
	switch {
	case !ok || strings.Contains(after, accountMark):
		return pattern{}, `expected {account} once before the "@", as in "f.{account}@isp.example"`
	case strings.Contains(realm, "{") && realm != realmMark:
		return pattern{}, `expected a realm or {realm} after the "@"`
	}
	return pattern{Fold(before), Fold(after), Fold(realm), realm == realmMark, form}, ""
}

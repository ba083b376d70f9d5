package admin

import "net/http"

// bearer tells who asks by a token.
func (d *door) bearer(r *http.Request, from string) (Caller, *Problem) {
	return Caller{From: from}, &Problem{Status: http.StatusUnauthorized, Detail: "expected a token: Authorization: Bearer TOKEN"}
}

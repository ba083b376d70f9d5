package admin

import (
	"fmt"
	"net/http"
	"strconv"
)

// Condition is the If-Match of a change (RFC 9110 section 13.1.1). It is exported
// as huma wants of what is embedded.
type Condition struct {
	IfMatch string `header:"If-Match" doc:"the ETag of what the caller has seen, or *" example:"\"1\""`
}

// version is what the caller has seen, 0 for whatever stands.
func (c Condition) version() (int, error) {
	switch c.IfMatch {
	case "":
		return 0, &Problem{Status: http.StatusPreconditionRequired, Detail: "expected If-Match with the ETag of what is to be changed, or * for whatever stands"}
	case "*":
		return 0, nil
	}
	text, err := strconv.Unquote(c.IfMatch)
	n, wrong := strconv.Atoi(text)
	if err != nil || wrong != nil || n < 1 || c.IfMatch != etag(n) {
		return 0, &Problem{Status: http.StatusPreconditionFailed, Detail: fmt.Sprintf(`If-Match: expected one ETag of ours such as "1", or *, got %s`, c.IfMatch)}
	}
	return n, nil
}

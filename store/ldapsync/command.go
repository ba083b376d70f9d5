package ldapsync

import (
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

var scopeNames = map[int]string{
	ldap.ScopeBaseObject: "base", ldap.ScopeSingleLevel: "one", ldap.ScopeWholeSubtree: "sub", ldap.ScopeChildren: "children",
}

// CommandLines are the searches of a server as ldapsearch is told them: all
// entries, and the way in which changes are found.
func CommandLines(c *Config, server string) []string {
	all := c.request(c.Search.Filter, idAttributes[0])
	lines := []string{c.commandLine(server, "", all)}
	switch c.Method {
	case Syncrepl:
		lines = append(lines, c.commandLine(server, "-E '!sync=rp' ", c.request(c.Search.Filter)))
	case Timestamp:
		lines = append(lines, c.commandLine(server, "", c.request(and(c.Search.Filter, "(modifyTimestamp>=20260101000000Z)"), idAttributes[0])))
	case USN:
		lines = append(lines, c.commandLine(server, "", c.request(and(c.Search.Filter, "(uSNChanged>=1)"), idAttributes[1])))
	}
	return lines
}

func (c *Config) commandLine(server, extension string, r *ldap.SearchRequest) string {
	var b strings.Builder
	for name, file := range map[string]string{"LDAPTLS_CACERT": c.Connect.CAFile} {
		if file != "" {
			fmt.Fprintf(&b, "%s=%s ", name, quote(file))
		}
	}
	if c.Connect.CertFile != "" {
		fmt.Fprintf(&b, "LDAPTLS_CERT=%s LDAPTLS_KEY=%s ", quote(c.Connect.CertFile), quote(c.Connect.KeyFile))
	}
	fmt.Fprintf(&b, "ldapsearch -LLL -H %s ", theirURL(server))
	if c.Connect.StartTLS {
		b.WriteString("-ZZ ")
	}
	switch {
	case c.Connect.External:
		b.WriteString("-Y EXTERNAL ")
	case c.Connect.BindDN != "" && c.Connect.PasswordFile != "":
		fmt.Fprintf(&b, "-x -D %s -y %s ", quote(c.Connect.BindDN), quote(c.Connect.PasswordFile))
	case c.Connect.BindDN != "":
		fmt.Fprintf(&b, "-x -D %s -W ", quote(c.Connect.BindDN))
	default:
		b.WriteString("-x ")
	}
	if c.Search.PageSize > 0 && extension == "" {
		extension = fmt.Sprintf("-E pr=%d/noprompt ", c.Search.PageSize)
	}
	fmt.Fprintf(&b, "%s-b %s -s %s %s %s", extension, quote(r.BaseDN), scopeNames[r.Scope], quote(r.Filter), strings.Join(r.Attributes, " "))
	return b.String()
}

// theirURL is a server's URL as ldapsearch reads it, which wants the path of a
// socket in the place of the host.
func theirURL(server string) string {
	path, socket := strings.CutPrefix(server, "ldapi://")
	if !socket {
		return server
	}
	return "ldapi://" + strings.ReplaceAll(path, "/", "%2F")
}

// quote makes a word of a shell.
func quote(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,%-", r)
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

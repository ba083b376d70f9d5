//go:build realparts

package realparts

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// Attributes are attributes as FreeRADIUS and radclient print them, in their order.
type Attributes []Attribute

// An Attribute is a name and a value; strings have lost their quotes.
type Attribute struct{ Name, Value string }

// Get answers the first value of an attribute, empty when there is none.
func (as Attributes) Get(name string) string {
	for _, a := range as {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// All lists the values of an attribute in their order.
func (as Attributes) All(name string) []string {
	var values []string
	for _, a := range as {
		if a.Name == name {
			values = append(values, a.Value)
		}
	}
	return values
}

// Has reports whether an attribute is there.
func (as Attributes) Has(name string) bool { return len(as.All(name)) > 0 }

// parseAttributes reads the lines of text that are indented by a tab and hold
// "Name = value".
func parseAttributes(text string) Attributes {
	var attributes Attributes
	for _, line := range strings.Split(text, "\n") {
		name, value, found := strings.Cut(line, " = ")
		if found && strings.HasPrefix(name, "\t") {
			attributes = append(attributes, Attribute{strings.TrimSpace(name), strings.Trim(value, `"`)})
		}
	}
	return attributes
}

// A NAS sends requests with radclient.
type NAS struct {
	Netns    *Netns
	Server   string   // address without port, e.g. 127.0.0.1
	AuthPort int      // of the server
	AcctPort int      // of the server
	Secret   string   // shared with the server
	Source   string   // address to send from; any when empty
	Identity []string // attributes of every request, e.g. "NAS-IP-Address = 192.0.2.1"
	Timeout  string   // seconds that one try waits; 3 when empty
	Tries    string   // how often a request is sent; 3 when empty
}

// A Reply is what a NAS got back. Code is empty when nothing valid came in time.
type Reply struct {
	Attributes
	Code   string // e.g. Access-Accept
	Output string // all that radclient said
}

func (r Reply) String() string { return r.Output }

// PAP logs a user in with the password in User-Password.
func (n NAS) PAP(t testing.TB, user, password string, more ...string) Reply {
	t.Helper()
	return n.Auth(t, append(credentials(user, "User-Password", password), more...)...)
}

// CHAP logs a user in with CHAP; the challenge is the request authenticator, no
// CHAP-Challenge goes out.
func (n NAS) CHAP(t testing.TB, user, password string, more ...string) Reply {
	t.Helper()
	return n.Auth(t, append(credentials(user, "CHAP-Password", password), more...)...)
}

func credentials(user, attribute, password string) []string {
	return []string{fmt.Sprintf("User-Name = %q", user), fmt.Sprintf("%s = %q", attribute, password)}
}

// Auth sends an Access-Request with these attributes.
func (n NAS) Auth(t testing.TB, attributes ...string) Reply {
	t.Helper()
	return n.send(t, n.AuthPort, "auth", attributes)
}

// Acct sends an Accounting-Request with these attributes.
func (n NAS) Acct(t testing.TB, attributes ...string) Reply {
	t.Helper()
	return n.send(t, n.AcctPort, "acct", attributes)
}

// received finds the header of the reply in radclient's output.
var received = regexp.MustCompile(`(?m)^Received (\S+) Id \d+ .*$`)

// send adds what stands in all requests of the NAS.
func (n NAS) send(t testing.TB, port int, command string, attributes []string) Reply {
	t.Helper()
	lines := append(append([]string{}, attributes...), n.Identity...)
	if n.Source != "" {
		lines = append(lines, "Packet-Src-IP-Address = "+n.Source)
	}
	return Radclient(t, n.Netns, []string{"-t", or(n.Timeout, "3"), "-r", or(n.Tries, "3")},
		fmt.Sprintf("%s:%d", n.Server, port), command, n.Secret, lines)
}

// Radclient runs radclient once in the namespace: command is auth, acct, coa or
// disconnect, options are its own. An exit status of its own says only that the
// reply was a refusal, or that there was none; the output tells which.
func Radclient(t testing.TB, n *Netns, options []string, server, command, secret string, attributes []string) Reply {
	t.Helper()
	dir := WorkDir(t, "radclient")
	WriteFile(t, dir, "dictionary", "")
	request := WriteFile(t, dir, "request", strings.Join(attributes, "\n")+"\n")
	args := append([]string{"-x", "-d", dir, "-D", freeradiusDictionaries, "-f", request}, options...)
	out, err := n.Command("radclient", append(args, server, command, secret)...).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "Sent ") {
		t.Fatalf("radclient: %v\n%s", err, out)
	}
	return parseReply(string(out))
}

// parseReply reads radclient's output: the request, then the reply.
func parseReply(out string) Reply {
	at := received.FindStringSubmatchIndex(out)
	if at == nil {
		return Reply{Output: out}
	}
	return Reply{Code: out[at[2]:at[3]], Attributes: parseAttributes(out[at[1]:]), Output: out}
}

// or answers value, or fallback when value is empty.
func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

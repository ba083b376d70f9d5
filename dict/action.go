package dict

import "net/netip"

// Action is what a profile needs to know of a policy's action.
type Action struct {
	Name   string
	Filter string // the policy's name of the filter; empty for none
	Pool   string // the name of an address pool; empty for none
	Allow  []Host // what stays reachable on port 25
}

// Host is a server that an action allows.
type Host struct {
	Name      string
	Addresses []netip.Addr
}

// told reports whether a router has to be told the action by name.
func (a Action) told() bool { return a.Filter != "" || a.Pool != "" }

// name is what the action is about on the router, for messages.
func (a Action) name() string { return a.Filter + a.Pool }

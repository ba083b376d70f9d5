package config

import (
	"cmp"
	"net/netip"

	"sekisho/engine/yamldoc"
	"sekisho/radius"
	"sekisho/radius/coa"
)

// coaSpec is how one NAS is told of sessions that are up.
type coaSpec struct {
	Address              yamldoc.Addr `yaml:"address,omitempty" jsonschema:"description=where it takes CoA; its source if that is one address; each router at its own if the source is several"`
	Port                 int          `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535,description=UDP port; that of the profile if not said"`
	Source               yamldoc.Addr `yaml:"source,omitempty" jsonschema:"description=local address to send from"`
	Secret               string       `yaml:"secret,omitempty" jsonschema:"description=the shared secret for CoA; that of the NAS if not said"`
	SecretFile           string       `yaml:"secret-file,omitempty" jsonschema:"description=a file that holds the shared secret for CoA"`
	Rate                 int          `yaml:"rate,omitempty" jsonschema:"minimum=1,description=requests a second"`
	Window               int          `yaml:"window,omitempty" jsonschema:"minimum=1,maximum=4096,description=requests under way at once"`
	MessageAuthenticator *bool        `yaml:"message-authenticator,omitempty" jsonschema:"description=send Message-Authenticator; as in the profile if not said"`
	EventTimestamp       *bool        `yaml:"event-timestamp,omitempty" jsonschema:"description=send Event-Timestamp; as in the profile if not said"`
}

// campaignsSpec is how many sessions are told at once.
type campaignsSpec struct {
	Rate      int `yaml:"rate,omitempty" jsonschema:"minimum=1,description=requests a second to a NAS that does not say; 20 if not said"`
	Window    int `yaml:"window,omitempty" jsonschema:"minimum=1,maximum=4096,description=requests under way at once to a NAS that does not say; 10 if not said"`
	Threshold int `yaml:"threshold,omitempty" jsonschema:"minimum=1,description=a NAS where more sessions are to be told at once gets a campaign; 100 if not said"`
	Canary    int `yaml:"canary,omitempty" jsonschema:"minimum=1,description=sessions of a NAS that must be acknowledged before the rest is told; 5 if not said"`
	StopRatio int `yaml:"stop-ratio,omitempty" jsonschema:"minimum=1,maximum=100,description=percent of the last answers that may be no ACKs; 20 if not said"`
	StopOver  int `yaml:"stop-over,omitempty" jsonschema:"minimum=1,description=how many answers are looked back on; 50 if not said"`
}

func (s campaignsSpec) rules() coa.Rules {
	return coa.Rules{Threshold: s.Threshold, Canary: s.Canary, StopRatio: s.StopRatio, StopOver: s.StopOver}
}

// routers compiles the coa sections of the NASes.
func (c *compiler) routers(nases []radius.NAS) []coa.Router {
	var routers []coa.Router
	for i, e := range c.spec.NAS {
		r := coa.Router{Name: e.Key, Profile: nases[i].Profile, Dictionary: c.dictionary, Address: nases[i].Address, Identifier: nases[i].Identifier, Source: nases[i].Source}
		if e.Value.CoA != nil {
			r.CoA = c.coa([]any{"nas", e.Key, "coa"}, e.Value.CoA, nases[i])
		}
		routers = append(routers, r)
	}
	return routers
}

func (c *compiler) coa(path []any, s *coaSpec, n radius.NAS) *coa.NAS {
	to := &coa.NAS{
		Name:   n.Name,
		Source: s.Source.Addr,
		Secret: n.Secret,
		Rate:   float64(cmp.Or(s.Rate, c.spec.Campaigns.Rate, coa.DefaultRate)),
		Window: cmp.Or(s.Window, c.spec.Campaigns.Window, coa.DefaultWindow),
	}
	if s.Secret != "" || s.SecretFile != "" {
		to.Secret, _ = c.secret(path, s.Secret, s.SecretFile)
	}
	port := s.Port
	if n.Profile != nil {
		quirks := n.Profile.Quirks()
		port = cmp.Or(port, int(quirks.Port))
		to.MessageAuthenticator = chosen(s.MessageAuthenticator, quirks.MessageAuthenticator)
		to.EventTimestamp = chosen(s.EventTimestamp, quirks.EventTimestamp)
	} else {
		c.warning(path, "%s has no profile: there is nothing to tell it", n.Name)
	}
	to.Address = netip.AddrPortFrom(c.coaAddress(path, s, n), uint16(cmp.Or(port, coa.DefaultPort)))
	there := to.Address.Addr()
	if !there.IsValid() {
		there = n.Source.Addr()
	}
	if source := to.Source; source.IsValid() && there.IsValid() && source.Is4() != there.Is4() {
		c.problem(with(path, "source"), "cannot send from %s to %s: one is IPv4, the other IPv6", source, there)
	}
	return to
}

// coaAddress is where a NAS takes CoA; zero where it stands for several routers,
// each of which is told at its own address.
func (c *compiler) coaAddress(path []any, s *coaSpec, n radius.NAS) netip.Addr {
	switch {
	case s.Address.Addr.IsValid():
		return s.Address.Addr
	case n.Source.IsSingleIP():
		return n.Source.Addr()
	case !n.Source.IsValid(): // reported already
	case n.Address.IsValid() && n.Source.Contains(n.Address):
		return n.Address
	case n.Address.IsValid() || n.Identifier != "":
		c.problem(path, "expected address: the source %s is more than one address, and this router is known by its name only", n.Source)
	case n.Source.Bits() == 0:
		c.problem(path, "expected address: the source %s is every address there is, and CoAs must not go to strangers", n.Source)
	}
	return netip.Addr{}
}

func chosen(said *bool, otherwise bool) bool {
	if said != nil {
		return *said
	}
	return otherwise
}

// relay compiles what concerns CoA from AAA servers: their addresses and
// secrets.
func (c *compiler) relay() coa.RelayConfig {
	relay := coa.RelayConfig{Listen: c.coaPorts()}
	seen := map[netip.Addr]string{}
	for _, e := range c.spec.AAA.Servers {
		from := e.Value.Address.Addr
		server := c.aaa[e.Key]
		if !from.IsValid() || server == nil || server.Secret == nil {
			continue // reported already
		}
		if other, twice := seen[from]; twice {
			if len(relay.Listen) > 0 {
				c.warning([]any{"aaa", "servers", e.Key}, "CoA from %s is checked with the secret of %s, which has the same address", from, other)
			}
			continue
		}
		seen[from] = e.Key
		relay.Clients = append(relay.Clients, coa.RelayClient{Name: e.Key, Address: from, Secret: server.Secret})
	}
	return relay
}

func (c *compiler) coaPorts() (ports []netip.AddrPort) {
	for _, a := range c.spec.Listen.CoA {
		ports = append(ports, a.AddrPort)
	}
	return ports
}

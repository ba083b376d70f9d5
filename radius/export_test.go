package radius

import "time"

// WithTimer returns options by which time-outs go by a clock of the test's.
func (o Options) WithTimer(now func() time.Time) Options {
	o.timer = now
	return o
}

// WithAside returns options by which so many decisions may take long at once.
func (o Options) WithAside(most int) Options {
	o.aside = most
	return o
}

// Sweep does at once what the proxy does regularly.
func (p *Proxy) Sweep() { p.sweep(p.timer()) }

// Octets are the secret itself, for the file of a daemon.
func (s *Secret) Octets() []byte { return s.octets }

package ldapsync

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"reflect"
)

// plain is a configuration as text, without what has no text.
func (c *Config) plain() string {
	connect := c.Connect
	connect.TLS = nil
	text, _ := json.Marshal([]any{connect, c.Search, c.Method, c.Mapping, c.Guards, c.Times}) // plain values
	return string(text)
}

func sameTLS(a, b *tls.Config) bool {
	if a == nil || b == nil {
		return a == b
	}
	return reflect.DeepEqual(a.Certificates, b.Certificates) && sameRoots(a.RootCAs, b.RootCAs)
}

func sameRoots(a, b *x509.CertPool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b)
}

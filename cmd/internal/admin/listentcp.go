package admin

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"golang.org/x/net/netutil"
)

// maxConnections is how many are answered over TCP at once. Others wait until
// one of them is done, or cut off for being slow.
const maxConnections = 256

// listenTCP opens the door for programs with tokens. Without a certificate it
// is opened on loopback addresses only: tokens must not cross a network in the
// clear.
func listenTCP(o Options) (net.Listener, error) {
	if o.Certificate == nil && !o.TCP.Addr().IsLoopback() {
		return nil, fmt.Errorf("admin listener %s: without a certificate only a loopback address is listened on", o.TCP)
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", o.TCP.String())
	if err != nil {
		return nil, fmt.Errorf("admin listener %s: %w", o.TCP, err)
	}
	l = netutil.LimitListener(l, maxConnections)
	if o.Certificate == nil {
		return l, nil
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return o.Certificate(), nil },
	}), nil
}

package admin

import (
	"context"
	"net"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// Peer is the process at the other end of the socket, as the kernel names it.
type Peer struct {
	UID, GID, PID int
	Login         string // of UID; its number where it has no name
}

// may tells whether the peer may speak to a daemon that runs as user own.
func (p Peer) may(own int) bool { return p.UID == 0 || p.UID == own }

type peerKey struct{}

// PeerFrom tells who asks, from the context of a request.
func PeerFrom(ctx context.Context) (Peer, bool) {
	p, ok := ctx.Value(peerKey{}).(Peer)
	return p, ok
}

// withPeer is called for every connection. Without credentials the context
// stays without a peer, and guard lets nobody through.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	cred, err := credentials(c)
	if err != nil {
		return ctx
	}
	p := Peer{UID: int(cred.Uid), GID: int(cred.Gid), PID: int(cred.Pid), Login: strconv.Itoa(int(cred.Uid))}
	if u, err := user.LookupId(p.Login); err == nil {
		p.Login = u.Username
	}
	return context.WithValue(ctx, peerKey{}, p)
}

func credentials(c net.Conn) (cred *unix.Ucred, err error) {
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return nil, net.UnknownNetworkError(c.LocalAddr().Network())
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return nil, err
	}
	return cred, failed
}

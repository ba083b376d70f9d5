package admin

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Peer is the process at the other end of the socket, as the kernel names it.
type Peer struct {
	UID, GID, PID int
	Groups        []int  // gids beside GID
	Login         string // of UID; its number where it has no name
}

// String is how the peer stands in the audit.
func (p Peer) String() string { return fmt.Sprintf("%s (uid %d)", p.Login, p.UID) }

type peerKey struct{}

// PeerFrom tells who asks, from the context of a request.
func PeerFrom(ctx context.Context) (Peer, bool) {
	p, ok := ctx.Value(peerKey{}).(Peer)
	return p, ok
}

// withPeer is called for every connection. Without credentials, as over TCP,
// the context stays without a peer.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	cred, groups, err := credentials(c)
	if err != nil {
		return ctx
	}
	p := Peer{UID: int(cred.Uid), GID: int(cred.Gid), PID: int(cred.Pid), Groups: groups, Login: login(int(cred.Uid))}
	return context.WithValue(ctx, peerKey{}, p)
}

// login is the name of a user, or the number where it has none.
func login(uid int) string {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return strconv.Itoa(uid)
	}
	return u.Username
}

// Self is who runs this process, for what is done without a daemon.
func Self() Peer {
	return Peer{UID: os.Getuid(), GID: os.Getgid(), PID: os.Getpid(), Login: login(os.Getuid())}
}

func credentials(c net.Conn) (cred *unix.Ucred, groups []int, err error) {
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return nil, nil, net.UnknownNetworkError(c.LocalAddr().Network())
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		if cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); failed == nil {
			groups, failed = peerGroups(fd)
		}
	}); err != nil {
		return nil, nil, err
	}
	return cred, groups, failed
}

// peerGroups asks for the supplementary groups that the peer had when it
// connected (SO_PEERGROUPS, Linux 4.13). An older kernel tells none.
func peerGroups(fd uintptr) ([]int, error) {
	gids := make([]uint32, 64)
	for {
		size := uint32(4 * len(gids))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&gids[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch errno {
		case 0:
			groups := make([]int, 0, size/4)
			for _, gid := range gids[:size/4] {
				groups = append(groups, int(gid))
			}
			return groups, nil
		case unix.ERANGE: // size says how much it takes
			gids = make([]uint32, size/4)
		case unix.ENOPROTOOPT:
			return nil, nil
		default:
			return nil, errno
		}
	}
}

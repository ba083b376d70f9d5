package radius

import (
	"net"

	"golang.org/x/sys/unix"
)

// socketBuffer is asked of the kernel for every socket, in octets: room for a
// burst of logins while the process is not running.
const socketBuffer = 4 << 20

// enlarge gives a socket large buffers, beyond net.core.rmem_max where the
// process may, and returns how large the kernel made the one for receiving.
// Smaller ones are no reason to refuse service.
func enlarge(conn *net.UDPConn) (received int) {
	conn.SetReadBuffer(socketBuffer)
	conn.SetWriteBuffer(socketBuffer)
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		// Without CAP_NET_ADMIN these two are refused, and what was set above stands.
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer)
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, socketBuffer)
		received, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	})
	return received / 2 // the kernel counts its own overhead in
}

package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxSocketPath is what fits into a sockaddr_un, in bytes.
const maxSocketPath = 107

// ErrSocketInUse says that another process answers at the socket.
var ErrSocketInUse = errors.New("another process answers at this socket")

// Listen creates a unix socket at path, with mode 0600 from its first moment
// on, in a directory that must exist; then it is given its group, unless that
// is below 1, and its mode, unless that is 0. A socket at which nobody answers,
// left by a daemon that was killed, is replaced; one that is answered is
// refused with ErrSocketInUse, and a file of any other kind is refused, too.
// Closing the listener removes the socket.
func Listen(path string, mode fs.FileMode, gid int) (net.Listener, error) {
	l, err := listen(path)
	if err == nil {
		if err = open(path, mode, gid); err != nil {
			err = errors.Join(err, l.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("admin socket %s: %w", path, err)
	}
	return l, nil
}

// open lets others in: the group before the mode, so that no other group is
// let in meanwhile.
func open(path string, mode fs.FileMode, gid int) error {
	if gid > 0 {
		if err := os.Chown(path, -1, gid); err != nil {
			return err
		}
	}
	if mode == 0 {
		return nil
	}
	return os.Chmod(path, mode)
}

func listen(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the name is %d bytes long; at most %d fit", len(path), maxSocketPath)
	}
	// Two daemons that start at once must not both find the same dead socket
	// and remove each other's fresh one.
	unlock, err := lockDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := removeDead(path); err != nil {
		return nil, err
	}
	// The socket file takes its mode from the descriptor: set before bind,
	// there is no moment at which others could connect, whatever the umask.
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = unix.Fchmod(int(fd), 0o600) })
		return errors.Join(err, failed)
	}}
	return config.Listen(context.Background(), "unix", path)
}

func lockDir(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another process is making a socket in %s: %w", dir, err), d.Close())
	}
	return func() { _ = d.Close() }, nil
}

// removeDead removes the socket at path if nobody answers there.
func removeDead(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("there is a file of this name that is no socket")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		return errors.Join(ErrSocketInUse, conn.Close())
	case errors.Is(err, unix.ECONNREFUSED):
		return os.Remove(path)
	}
	return err
}

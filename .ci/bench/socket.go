package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net"

	"golang.org/x/sys/unix"
)

// socket is a connection of a [loop]. Of net.Conn it has what TLS asks for.
type socket struct {
	net.Conn

	descriptor int
}

// errNothing is what Read says where it would have to wait. TLS takes it for an
// error that passes, and reads on later.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing came yet" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

func (s *socket) Read(p []byte) (int, error) {
	count, err := unix.Read(s.descriptor, p)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return 0, errNothing
	case err != nil:
		return 0, err
	case count == 0:
		return 0, io.EOF
	}
	return count, nil
}

// Write sends all of p or fails: the kernel takes far more at once than a request has.
func (s *socket) Write(p []byte) (int, error) {
	count, err := unix.Write(s.descriptor, p)
	if err == nil && count < len(p) {
		err = io.ErrShortWrite
	}
	return max(0, count), err
}

// dial connects to a port of this machine. With a configuration for it, what is sent
// goes over TLS.
func dial(port int, config *tls.Config) (*socket, io.ReadWriter, error) {
	descriptor, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.Connect(descriptor, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}); err != nil {
		return nil, nil, err
	}
	if err := unix.SetsockoptInt(descriptor, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return nil, nil, err
	}
	plain := &socket{descriptor: descriptor}
	var over io.ReadWriter = plain
	if config != nil {
		secured := tls.Client(plain, config)
		if err := secured.Handshake(); err != nil { //nolint:noctx // loopback
			return nil, nil, err
		}
		over = secured
	}
	return plain, over, unix.SetNonblock(descriptor, true)
}

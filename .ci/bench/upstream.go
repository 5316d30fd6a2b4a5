package main

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// upstream is the fast legacy API behind all sites.
type upstream struct {
	loop       *loop
	descriptor int
}

// served is a connection to it.
type served struct {
	loop   *loop
	socket socket
	read   []byte // what came of a request
}

// listen begins to serve, and returns the address.
func (l *loop) listen() (string, error) {
	descriptor, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	if err := unix.Bind(descriptor, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", err
	}
	if err := unix.Listen(descriptor, unix.SOMAXCONN); err != nil {
		return "", err
	}
	address, err := unix.Getsockname(descriptor)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("127.0.0.1:%d", address.(*unix.SockaddrInet4).Port), l.add(descriptor, &upstream{l, descriptor})
}

func (u *upstream) ready() error {
	descriptor, _, err := unix.Accept4(u.descriptor, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ECONNABORTED) {
		return nil // who called is gone
	} else if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(descriptor, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	return u.loop.add(descriptor, &served{loop: u.loop, socket: socket{descriptor: descriptor}})
}

// upstreamAnswer is that to every request.
const upstreamAnswer = "HTTP/1.1 200 OK\r\nDate: Thu, 26 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nok"

// ready answers a request once it is whole. A connection that fails was closed by
// Caddy, which says so itself where that is wrong.
func (s *served) ready() error {
	var buffer [16 << 10]byte
	count, err := s.socket.Read(buffer[:])
	s.read = append(s.read, buffer[:count]...)
	if err == nil && bytes.HasSuffix(s.read, []byte("\r\n\r\n")) { // no request has a body
		s.read = s.read[:0]
		_, err = s.socket.Write([]byte(upstreamAnswer))
	}
	if err != nil && !errors.Is(err, errNothing) {
		s.loop.remove(s.socket.descriptor)
	}
	return nil
}

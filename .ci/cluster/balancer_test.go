package cluster

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// forward is a TCP server that hands each connection on to one that it dials.
type forward struct {
	address string
	dial    func() (net.Conn, error)

	mutex sync.Mutex
	open  map[net.Conn]struct{}
	mute  atomic.Bool // nothing that is sent arrives

	// spoil ends a connection where the client sends what it is true for. nil: none.
	spoil func(sent []byte) bool
}

// listen serves until the test ends.
func listen(t testing.TB, dial func() (net.Conn, error)) *forward {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &forward{address: listener.Addr().String(), dial: dial, open: make(map[net.Conn]struct{})}
	t.Cleanup(func() {
		_ = listener.Close()
		f.hangUp()
	})
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go f.serve(connection)
		}
	}()
	return f
}

func (f *forward) serve(client net.Conn) {
	if f.mute.Load() { // accepted by the kernel, and then silence
		f.note(client)
		return
	}
	server, err := f.dial()
	if err != nil {
		_ = client.Close()
		return
	}
	f.note(client, server)
	go f.pass(client, server, f.spoil)
	f.pass(server, client, nil)
}

// pass copies until one side has ended; what comes while it is mute is dropped.
func (f *forward) pass(from, to net.Conn, spoil func([]byte) bool) {
	defer func() { _ = from.Close() }()
	defer func() { _ = to.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		count, err := from.Read(buffer)
		if spoil != nil && spoil(buffer[:count]) {
			return
		}
		if count > 0 && !f.mute.Load() {
			if _, err := to.Write(buffer[:count]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (f *forward) note(connections ...net.Conn) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, connection := range connections {
		f.open[connection] = struct{}{}
	}
}

func (f *forward) hangUp() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for connection := range f.open {
		_ = connection.Close()
	}
	clear(f.open)
}

// cut makes nothing arrive any more in either direction: connections stay, as
// where a cable was pulled. mend ends it; what was open then is closed.
func (f *forward) cut() { f.mute.Store(true) }

func (f *forward) mend() {
	f.hangUp()
	f.mute.Store(false)
}

// link is a way to a server that can be cut.
func link(t testing.TB, address string) *forward {
	t.Helper()
	return listen(t, func() (net.Conn, error) { return net.DialTimeout("tcp", address, time.Second) })
}

// balance hands connections to the instances in turn, and passes over those that
// do not accept them.
func (c *cluster) balance(t testing.TB) *forward {
	t.Helper()
	var turn atomic.Int64
	return listen(t, func() (connection net.Conn, err error) {
		first := int(turn.Add(1))
		for i := range c.nodes {
			n := c.nodes[(first+i)%len(c.nodes)]
			if connection, err = net.DialTimeout("tcp", n.address(), time.Second); err == nil {
				return connection, nil
			}
		}
		return nil, io.ErrUnexpectedEOF
	})
}

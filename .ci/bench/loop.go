package main

import (
	"crypto/tls"
	"errors"
	"sync"

	"golang.org/x/sys/unix"
)

// loop moves bytes for the load generator and for the upstream. While requests are
// measured it never sleeps: the kernel charges waking somebody to the one who wakes
// him, and so to Caddy, the more of it the longer a request takes there.
type loop struct {
	epoll int
	sleep bool // where Caddy has no core of its own
	tls   *tls.Config

	mutex sync.Mutex // held by whoever moves bytes
	ends  map[int32]end
	// open are the connections to Caddy, by host and port there.
	open map[string][]*exchange
}

// end is what a descriptor belongs to.
type end interface {
	// ready reads what there is. An error ends the loop.
	ready() error
}

func newLoop(sleep bool, config *tls.Config) (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return &loop{epoll: epoll, sleep: sleep, tls: config, ends: make(map[int32]end), open: make(map[string][]*exchange)}, err
}

// add watches a descriptor for bytes.
func (l *loop) add(descriptor int, of end) error {
	l.ends[int32(descriptor)] = of                                        //nolint:gosec // descriptors are small
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(descriptor)} //nolint:gosec // the same
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, descriptor, &event)
}

// remove closes a descriptor.
func (l *loop) remove(descriptor int) {
	delete(l.ends, int32(descriptor)) //nolint:gosec // descriptors are small
	_ = unix.Close(descriptor)
}

// poll lets each end read for which something came, and waits for that many
// milliseconds; 0: not at all.
func (l *loop) poll(wait int) error {
	var events [64]unix.EpollEvent
	count, err := unix.EpollWait(l.epoll, events[:], wait)
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	for _, event := range events[:max(0, count)] {
		if end, open := l.ends[event.Fd]; open {
			if err := end.ready(); err != nil {
				return err
			}
		}
	}
	return err
}

// between serves the upstream while nothing is measured, until an error.
func (l *loop) between() (err error) {
	for err == nil {
		l.mutex.Lock()
		err = l.poll(5)
		l.mutex.Unlock()
	}
	return err
}

package main

import (
	"errors"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// cores are shared out so that Caddy has the last one to itself: what else runs there
// would take the place of its memory in the core's caches.
type cores struct {
	caddy, rest unix.CPUSet
	shared      bool // there is but one to choose from
}

// share takes the cores that this process may use, and leaves the last of them.
func share() (c cores, err error) {
	// Some sandboxes do not let anybody choose.
	chosen := unix.SchedGetaffinity(0, &c.rest) == nil && unix.SchedSetaffinity(0, &c.rest) == nil
	if c.shared = !chosen || c.rest.Count() < 2; c.shared {
		return c, nil
	}
	last := 0
	for i := range 1024 {
		if c.rest.IsSet(i) {
			last = i
		}
	}
	c.caddy.Set(last)
	c.rest.Clear(last)
	runtime.GOMAXPROCS(c.rest.Count())
	for moved := true; moved && err == nil; { // one may have begun another meanwhile
		moved, err = moveThreads(&c.rest)
	}
	return c, err
}

// moveThreads lets the threads of this process run there alone. Those to come are as the
// ones that make them.
func moveThreads(to *unix.CPUSet) (moved bool, _ error) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return false, err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return false, err
		}
		var now unix.CPUSet
		if err = unix.SchedGetaffinity(id, &now); err == nil && now != *to {
			moved, err = true, unix.SchedSetaffinity(id, to)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) { // it has ended
			return false, err
		}
	}
	return moved, nil
}

// onOwn calls what starts a process, which runs on Caddy's core from its first moment.
func (c *cores) onOwn(start func() error) error {
	if c.shared {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.SchedSetaffinity(0, &c.caddy); err != nil {
		return err
	}
	defer func() { _ = unix.SchedSetaffinity(0, &c.rest) }()
	return start()
}

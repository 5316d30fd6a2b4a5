package keys

import (
	"sync/atomic"
	"time"
)

// clock stands still until a test moves it. It is safe for concurrent use.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time       { return start.Add(time.Duration(c.offset.Load())) }
func (c *clock) move(d time.Duration) { c.offset.Add(int64(d)) }
func (c *clock) moveTo(t time.Time)   { c.offset.Store(int64(t.Sub(start))) }
func (c *clock) after(d time.Duration) func() time.Time {
	return func() time.Time { return c.now().Add(d) }
}

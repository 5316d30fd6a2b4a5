package store_test

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// steady is a place with about the same number of live marks for ever: a
// thousand are noted in each second, and as many lapse.
type steady struct {
	marks *store.MemoryMarks
	now   atomic.Int64
	count atomic.Int64
	life  time.Duration
}

func newSteady(tb testing.TB, live int) *steady {
	s := &steady{life: time.Duration(2+live/1000) * time.Second}
	s.now.Store(1_800_000_000)
	s.marks = store.NewMemoryMarks(4_000_000, func() time.Time { return time.Unix(s.now.Load(), 0) })
	for range live {
		s.use(tb)
	}
	return s
}

func (s *steady) use(tb testing.TB) {
	count := s.count.Add(1)
	if count%1000 == 0 {
		s.now.Add(1)
	}
	// Stale: a goroutine was put aside for seconds of this hurried clock.
	if err := s.marks.Mark(tb.Context(), s.mark(count)); err != nil && !errors.Is(err, store.ErrStale) {
		tb.Error(err)
	}
}

func (s *steady) mark(number int64) store.Mark {
	now := time.Unix(s.now.Load(), 0)
	return store.Mark{
		Kind: store.KindAssertion, Owner: "client " + strconv.FormatInt(number%1000, 10),
		ID: "8c1f5d2e-0d0b-4c1a-9f57-" + strconv.FormatInt(number, 16), Made: now, Until: now.Add(s.life),
	}
}

var liveMarks = []int{0, 100_000, 1_000_000}

// A new mark costs the same however many are live.
func BenchmarkMark(b *testing.B) {
	for _, live := range liveMarks {
		b.Run(fmt.Sprint("live=", live), func(b *testing.B) {
			s := newSteady(b, live)
			b.ReportAllocs()
			for b.Loop() {
				s.use(b)
			}
		})
	}
}

func BenchmarkMarkParallel(b *testing.B) {
	for _, live := range liveMarks {
		b.Run(fmt.Sprint("live=", live), func(b *testing.B) {
			s := newSteady(b, live)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					s.use(b)
				}
			})
		})
	}
}

// So does a replay.
func BenchmarkReplay(b *testing.B) {
	for _, live := range liveMarks {
		b.Run(fmt.Sprint("live=", live), func(b *testing.B) {
			s := newSteady(b, live)
			for range 1000 {
				s.use(b)
			}
			last, among := s.count.Load(), int64(max(1000, live/2))
			b.ReportAllocs()
			for number := int64(0); b.Loop(); number += 7919 {
				if err := s.marks.Mark(b.Context(), s.mark(last-number%among)); !errors.Is(err, store.ErrUsed) {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a mark takes of the memory.
func BenchmarkMarkMemory(b *testing.B) {
	for name, owners := range map[string]int64{"owners=1000": 1000, "owners=all": 1 << 62} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				before := heap()
				marks := store.NewMemoryMarks(2_000_000, time.Now)
				now := time.Now()
				for number := range int64(1_000_000) {
					err := marks.Mark(b.Context(), store.Mark{
						Kind: store.KindProof, Owner: strconv.FormatInt(number%owners, 10), ID: strconv.FormatInt(number, 10),
						Made: now, Until: now.Add(time.Hour + time.Duration(number%3600)*time.Second),
					})
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(heap()-before)/1e6, "B/mark")
				runtime.KeepAlive(marks)
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

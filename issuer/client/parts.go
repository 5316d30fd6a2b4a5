package client

import (
	"cmp"
	"fmt"
	"runtime"
	"sync"
)

// LeastPart is how many clients are worth a goroutine of their own.
const LeastPart = 500

// together does jobs at the same time. The error tells of the first that panicked,
// which would end the process.
func together(jobs ...func()) error {
	problems := make([]error, len(jobs))
	var all sync.WaitGroup
	for i, job := range jobs {
		all.Go(func() {
			defer func() {
				if caught := recover(); caught != nil {
					problems[i] = fmt.Errorf("panic: %v", caught)
				}
			}()
			job()
		})
	}
	all.Wait()
	return cmp.Or(problems...)
}

// InParts does what there is to do for so many clients, on all processors where they are
// many. The error tells of a part that panicked, which would end the process.
func InParts(count int, part func(from, to int)) error {
	size := max(LeastPart, count/runtime.GOMAXPROCS(0)+1)
	var jobs []func()
	for from := 0; from < count; from += size {
		jobs = append(jobs, func() { part(from, min(from+size, count)) })
	}
	return together(jobs...)
}

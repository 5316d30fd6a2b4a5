// Package report counts the requests that gates refuse, or would refuse if
// they enforced their rules, so that an operator can tell who is concerned and
// why. It answers "who breaks if I enforce today?" and "who is being refused?".
// Those that pass by a bridge it counts too: who uses it still?
//
//	entry.go      one refusal, and the key under which it is counted
//	template.go   paths without what differs from request to request
//	report.go     the counts: bounded in memory, and exact in sum
//	row.go        what is told of them
//	filter.go     which of them are wanted
//	suggest.go    the lines of Caddyfile with which a request would pass
//
// Nearly all that it keeps was written by strangers. It is cut at a length and
// has no control character when it leaves the package.
package report

// Package store holds what must outlive the process: a few small documents,
// each read and changed as a whole, and the places where they can be kept; and
// which signed statements were used ([Marks]).
//
// Many small records, such as the clients that are made at run time, are a
// [Collection]: documents of some hundred records each, and an index.
//
// Nothing that happens with each request goes into a document: the usual place
// is a file system whose lock is polled once a second. A [Journal] therefore
// keeps marks in memory and writes them when the program stops.
package store

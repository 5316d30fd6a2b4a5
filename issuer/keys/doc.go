// Package keys makes, keeps and rotates the keys that access tokens are signed
// with, and publishes their public halves (RFC 7517). It also reads the public
// keys of others: of clients that sign assertions, and of other issuers.
//
// A key is published some time before it signs and until the last token that
// it signed has expired. When keys come and go is decided in rotation.go, a
// function of the stored document, the clock and the configuration alone;
// [Ring] applies it to the document and serves the result without locks.
//
// Our own keys:
//
//   - making: config.go, key.go
//   - rotating: ring.go, rotation.go
//   - rotating and revoking by hand: byhand.go
//   - storing: document.go, wire.go
//   - serving: snapshot.go, published.go
//
// Keys of others:
//
//   - reading a set and judging its keys: set.go, jwk.go
//   - a set in a file or in the configuration: held.go
//   - a set behind a url: remote.go is asked for keys, flight.go decides when
//     they are fetched and who waits, fetch.go gets them, url.go says from where,
//     or discovery.go asks the issuer's metadata
//
// What any key must be, whosever it is: material.go.
package keys

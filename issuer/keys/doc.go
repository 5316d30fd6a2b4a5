// Package keys makes, keeps and rotates the keys that access tokens are signed
// with, and publishes their public halves (RFC 7517).
//
// A key is published some time before it signs and until the last token that
// it signed has expired. When keys come and go is decided in rotation.go, a
// function of the stored document, the clock and the configuration alone;
// [Ring] applies it to the document and serves the result without locks.
package keys

// Package client knows the clients of the authorization server: what each may
// ask for, its secrets, keys and certificates, and how it proves who it is (RFC
// 6749 section 2.3).
//
//   - Secret and its hashes: secret.go, phc.go, hash.go; new ones: generated.go,
//     hashsecret.go
//   - the set of clients: client.go, registry.go; what the log shows of an
//     unknown one: loggable.go
//   - authentication: credentials.go, authenticator.go, failure.go
//   - with a secret: basic.go, match.go; its cost: candidates.go, queue.go,
//     memory.go
//   - with an assertion (RFC 7523): assertion.go
//   - with a certificate (RFC 8705): certificate.go; its name:
//     certificatename.go, altname.go, dn.go, dnparse.go, dnread.go, dntypes.go;
//     registered by itself: selfsigned.go, selfsigned_pem.go
//   - how often it may fail: failures.go
//   - what becomes of tokens when a client changes: ledger.go, document.go,
//     standing.go
//
// Only an [Authenticator] makes an [Authenticated]: code that holds one need
// not ask again whether the client has proved who it is.
package client

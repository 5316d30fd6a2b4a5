// Package client knows the clients of the authorization server: what each may
// ask for, its secrets, and how it proves who it is (RFC 6749 section 2.3).
//
//   - Secret and its hashes: secret.go, phc.go, hash.go
//   - the set of clients: client.go, registry.go; what the log shows of an
//     unknown one: loggable.go
//   - authentication: credentials.go, basic.go, authenticator.go, failure.go;
//     its cost: candidates.go, queue.go, memory.go
//   - what becomes of tokens when a client changes: ledger.go, document.go,
//     standing.go
//
// Only an [Authenticator] makes an [Authenticated]: code that holds one need
// not ask again whether the client has proved who it is.
package client

// Package redis keeps in Redis or Valkey what issuers on several machines share:
// documents ([store.Documents]), sealed with a key that Redis does not know, and
// which signed statements were used ([store.Marks]).
//
// All keys of an issuer carry one hash tag, so that scripts work in a Redis
// Cluster too: <prefix>:{<issuer>}:doc:<name>, ...:changed, ...:mark:<hash>, ...:topic:<name>.
package redis

package client

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"strings"
)

// FailureKey stands for a client at an address, or for an address: their hash.
// What was sent as a client_id may be a secret.
type FailureKey [sha256.Size]byte

type failureKey struct {
	clientID string
	address  netip.Prefix
}

// hash is the same in every instance.
func (k failureKey) hash() FailureKey {
	address, _ := k.address.MarshalBinary() // never fails
	text := make([]byte, 0, len(k.clientID)+len(address)+8)
	text = binary.BigEndian.AppendUint64(text, uint64(len(k.clientID)))
	text = append(append(text, k.clientID...), address...)
	return sha256.Sum256(text)
}

// keyOfAddress is that of an address; no client_id is as long.
func keyOfAddress(address string) failureKey {
	key := keyOf("", address)
	key.clientID = everyClient
	return key
}

var everyClient = strings.Repeat("*", MaxID+1)

// keyOf bounds the key: what cannot be a client_id is one client. An IPv6
// network of 64 bits is one address, since that is what a single host is given.
func keyOf(clientID, address string) failureKey {
	if !ValidID(clientID) {
		clientID = ""
	}
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return failureKey{clientID: clientID}
	}
	parsed = parsed.Unmap().WithZone("")
	bits := parsed.BitLen()
	if parsed.Is6() {
		bits = 64
	}
	prefix, err := parsed.Prefix(bits)
	if err != nil { // bits are within the address: cannot be
		return failureKey{clientID: clientID}
	}
	return failureKey{clientID: clientID, address: prefix}
}

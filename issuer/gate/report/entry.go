package report

import (
	"hash/maphash"
	"net/netip"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Entry is one request that was refused, or would have been, or that passed by a
// bridge. Nothing of it is kept but in the form that [Row] describes.
type Entry struct {
	Gate     string // the gate's resource
	Site     string // where it stands in the configuration: a resource may have several gates
	Enforced bool   // the request was refused; false: it passed, since the gate only reports
	Passed   bool   // it passed, and is here since it came by a bridge that somebody wants to take down

	// Bridge is how a secret came in place of a token; empty: none did.
	Bridge gate.BridgeKind

	// ClientID is whom the token names.
	ClientID string
	Verified bool   // the token is one that its issuer signed for ClientID
	Issuer   string // of such a token where it is not our own; else empty

	Address   string // the client's IP address
	UserAgent string

	Method string
	Path   string // escaped, as it stands where the gate decides
	Rule   string // the pattern of the rule that covers the request; empty: none does

	// Uncovered: the gate has rules, and none covers the request. Whatever the
	// reason, a rule is missing.
	Uncovered bool

	Reason gate.Reason

	// Needs are sets of scopes each of which is enough; none where that is not
	// known. They are kept as they are, and must not be changed afterwards.
	Needs []token.Scopes
	Scope token.Scopes // what such a token has

	ID string // of the refusal, as in the answer and in the log
}

// The bounds of what strangers write, in octets before unprintable ones are
// spelled out.
const (
	maxClientID   = 128
	maxVerifiedID = 256
	maxAddress    = 64
	maxUserAgent  = 80
	maxMethod     = 16
)

// The fields of a key, which separator stands between. No field holds it.
const (
	fieldFlags = iota
	fieldGate
	fieldSite
	fieldIssuer
	fieldClientID
	fieldAddress
	fieldUserAgent
	fieldMethod
	fieldPath // or the rule's pattern
	fieldReason
	fields

	separator = 0
)

// Flags of a key.
const (
	flagVerified  = 'v'
	flagRule      = 'r'
	flagUncovered = 'u'
	flagBasic     = 'b'
	flagAPIKey    = 'k'
	flagOther     = 'o' // all that there was no room for
)

// appendKey adds the key of the row that the entry is counted in. A caller is
// its client_id where that is verified, from wherever it comes; and else the
// address and the program, since anybody can write any client_id into a token.
func (e *Entry) appendKey(to []byte) []byte {
	if e.Verified {
		to = append(to, flagVerified)
	}
	switch e.Bridge {
	case gate.BridgeBasic:
		to = append(to, flagBasic)
	case gate.BridgeAPIKey:
		to = append(to, flagAPIKey)
	}
	if e.Rule != "" {
		to = append(to, flagRule)
	}
	if e.Uncovered {
		to = append(to, flagUncovered)
	}
	to = appendConfigured(append(to, separator), e.Gate)
	to = appendConfigured(append(to, separator), e.Site)
	to = append(to, separator)
	if e.Verified {
		to = appendConfigured(to, e.Issuer)
	}
	to = e.appendClientID(append(to, separator))
	to = append(to, separator)
	if !e.Verified {
		to = appendPrintable(to, e.Address, maxAddress)
	}
	to = append(to, separator)
	if !e.Verified {
		to = appendPrintable(to, e.UserAgent, maxUserAgent)
	}
	to = appendPrintable(append(to, separator), e.Method, maxMethod)
	to = append(to, separator)
	if e.Rule != "" {
		to = appendConfigured(to, e.Rule)
	} else {
		to = appendTemplate(to, e.Path)
	}
	return appendConfigured(append(to, separator), string(e.Reason))
}

// appendClientID adds a verified client_id as it is, for it is printable ASCII
// already and stands in the configuration; unless a foreign issuer has given
// its client one of a length that no configuration needs.
func (e *Entry) appendClientID(to []byte) []byte {
	if e.Verified && len(e.ClientID) <= maxVerifiedID {
		return appendConfigured(to, e.ClientID)
	}
	return appendPrintable(to, e.ClientID, maxClientID)
}

// appendOtherKey adds the key of the row for entries without one of their own.
func (e *Entry) appendOtherKey(to []byte) []byte {
	if e.Verified {
		to = append(to, flagVerified)
	}
	to = appendConfigured(append(to, flagOther, separator), e.Gate)
	to = appendConfigured(append(to, separator), e.Site)
	for range fieldReason - fieldSite {
		to = append(to, separator)
	}
	return appendConfigured(to, string(e.Reason))
}

// origin is whom rows are attributed to, so that no one has them all.
type origin struct {
	issuer, clientID string       // verified
	network          netip.Prefix // of those who are not
}

// origin is the client where it is verified. An IPv6 network of 64 bits is one
// address, since that is what a single host is given.
func (e *Entry) origin() origin {
	if e.Verified {
		return origin{issuer: e.Issuer, clientID: e.ClientID}
	}
	address, err := netip.ParseAddr(e.Address)
	if err != nil {
		return origin{}
	}
	address = address.Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	network, err := address.Prefix(bits)
	if err != nil { // bits are within the address: cannot be
		return origin{}
	}
	return origin{network: network}
}

func (o origin) hash(seed maphash.Seed) uint64 {
	if o.clientID != "" {
		return maphash.String(seed, o.clientID)
	}
	address := o.network.Addr().As16()
	return maphash.Bytes(seed, address[:])
}

// clone copies what a new map key needs, since the entry's strings may be parts
// of much longer ones.
func (o origin) clone() origin {
	o.issuer, o.clientID = strings.Clone(o.issuer), strings.Clone(o.clientID)
	return o
}

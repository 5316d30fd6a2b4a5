package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Suggest prints the lines of Caddyfile with which the requests of the rows
// would pass, under headings that say where each belongs, and each below a
// comment that says how often it was missed and by whom. What would open a path
// to everyone, and what only its owner can decide, is commented out: text that
// is pasted whole opens nothing to strangers; and so is what contradicts a rule in
// force, or another line. Where nothing can be configured, or is by now, there is a
// comment alone.
func Suggest(rows []Row, now Current) string {
	s := suggestions{now: now, clients: make(map[string]*section), gates: make(map[gatePlace]*gateSection)}
	for i := range rows {
		s.row(&rows[i])
	}
	var text strings.Builder
	for _, id := range slices.Sorted(maps.Keys(s.clients)) {
		s.clients[id].print(&text, fmt.Sprintf("In the global option oauth2, within `client %s`:", id))
	}
	for _, at := range slices.SortedFunc(maps.Keys(s.gates), gatePlace.compare) {
		s.gates[at].addRules(now.Rules(at.gate, at.site))
		s.gates[at].print(&text, fmt.Sprintf("In the oauth2_gate for %s:", at))
	}
	s.notes.print(&text, "Not a matter of this configuration, or not of a line of it:")
	return text.String()
}

// suggestions are the lines by the place where they belong.
type suggestions struct {
	now     Current
	clients map[string]*section
	gates   map[gatePlace]*gateSection
	notes   section
}

func (s *suggestions) client(id string) *section {
	name, _ := word(id) // whoever has scopes at our own issuer is in a configuration
	if s.clients[name] == nil {
		s.clients[name] = new(section)
	}
	return s.clients[name]
}

// gatePlace names a gate.
type gatePlace struct{ gate, site string }

func (p gatePlace) compare(other gatePlace) int {
	return cmp.Or(cmp.Compare(p.gate, other.gate), cmp.Compare(p.site, other.site))
}

func (p gatePlace) String() string {
	if p.site == "" {
		return p.gate
	}
	return p.gate + " at " + p.site
}

func (s *suggestions) gate(row *Row) *gateSection {
	at := gatePlace{row.Gate, row.Site}
	if s.gates[at] == nil {
		s.gates[at] = &gateSection{missing: make(map[uncovered]*missingRule)}
	}
	return s.gates[at]
}

// row finds out what would let the requests of a row pass.
func (s *suggestions) row(row *Row) {
	switch {
	case row.Reason == gate.ReasonBridge: // nothing is missing
	case row.Other:
		s.note(row, "requests that found no room in the report")
	case row.Verified && row.Reason == gate.ReasonScope:
		s.scope(row)
	case row.Verified && row.Reason == gate.ReasonClient:
		s.allow(row)
	case row.Bridge != "" && !row.Verified:
		s.note(row, "what the caller brings to the bridge is not good, see the log; better still, it should get a token")
	case row.Verified && row.Reason == gate.ReasonNoRule,
		row.Uncovered && (row.Reason == gate.ReasonNoToken || row.Reason == gate.ReasonScheme):
		s.gate(row).uncovered(row)
	case len(row.Needs) > 0 && (row.Reason == gate.ReasonNoToken || row.Reason == gate.ReasonScheme):
		s.note(row, advice(row.Reason)+"; it needs "+anyOf(row.Needs))
	default:
		s.note(row, advice(row.Reason))
	}
}

// scope suggests the scopes that are missing: of several sets of which one is
// enough, the one that takes the fewest. Each has a line of its own, since a
// scope may stand only once.
func (s *suggestions) scope(row *Row) {
	var owner Client
	if row.Issuer == "" {
		owner = s.now.Client(row.ClientID)
	}
	needs := row.Needs
	if sets, found := s.now.Needs(row.Gate, row.Site, row.Method, row.Rule); found {
		needs = sets
	}
	lacking, missing := fewest(needs, row.Scope), fewest(needs, row.Scope.Union(owner.Scopes))
	switch {
	case len(lacking) == 0:
		s.note(row, "the last token had all that is needed by now")
		return
	case row.Issuer != "":
		s.note(row, fmt.Sprintf("the issuer %s must grant %s", row.Issuer, lacking))
		return
	case owner.Place == Nowhere:
		s.note(row, "there is no such client by now")
		return
	case len(missing) == 0:
		s.note(row, "by now the client may have all that is needed; its old tokens do not, nor does one that asks for less")
		return
	case owner.Place == AtRunTime:
		s.note(row, fmt.Sprintf("the client was made at run time, and is changed there: it lacks %s", missing))
		return
	}
	for _, scope := range missing {
		text, ok := word(scope)
		s.client(row.ClientID).add("scopes "+text, !ok, row, "the token has: "+orNothing(row.Scope))
	}
}

// allow suggests to let a client in that the gate does not name.
func (s *suggestions) allow(row *Row) {
	if s.now.Allows(row.Gate, row.Site, row.Issuer, row.ClientID) {
		s.note(row, "the gate lets the client in by now")
		return
	}
	line := "allow_clients"
	if row.Issuer != "" {
		issuer, ok := word(row.Issuer)
		if line += "_of " + issuer; !ok {
			s.note(row, advice(row.Reason))
			return
		}
	}
	id, ok := word(row.ClientID)
	if !ok {
		s.note(row, advice(row.Reason))
		return
	}
	s.gate(row).add(line+" "+id, false, row, "")
}

func (s *suggestions) note(row *Row, text string) {
	s.notes.add("", false, row, string(row.Reason)+": "+text)
}

// advice says what to do where no line helps.
func advice(reason gate.Reason) string {
	switch reason {
	case gate.ReasonNoToken, gate.ReasonScheme:
		return "the caller sends no token; make it a client, or send it the way to the token endpoint"
	case "resource": // of a refusal at a bridge
		return "the client's resources do not name the gate's"
	case gate.ReasonBridgeEnded:
		return "the bridge has ended; the caller must get a token"
	case gate.ReasonMixed:
		return "the caller must send a token or its credentials, in one way"
	case gate.ReasonPath:
		return "servers read such paths in two ways; the caller must send another one"
	case gate.ReasonDuplicate:
		return "the caller must send one token, in one header"
	case gate.ReasonClient:
		return "the gate's allow_clients does not name the client"
	case gate.ReasonBody:
		return "the caller must send a form that can be read"
	case gate.ReasonReplayMarks, gate.ReasonNotReady:
		return "the gate could not decide; see the log"
	case gate.Reason(token.CheckEntitlement):
		return "the client no longer has what its token says; it needs a new one"
	case gate.Reason(token.CheckExpired):
		return "the caller keeps its token too long, or a clock is wrong"
	case gate.Reason(token.CheckAudience):
		return "the token is for another resource: the caller must ask for this one"
	case gate.Reason(token.CheckClient):
		return "the client is disabled or removed, or the token is from before it was"
	}
	return "the caller must send a token that is valid here"
}

// fewest is what is missing of the set of which the fewest are.
func fewest(sets []token.Scopes, held token.Scopes) (missing token.Scopes) {
	for i, set := range sets {
		if lacks := without(set, held); i == 0 || len(lacks) < len(missing) {
			missing = lacks
		}
	}
	return missing
}

func without(set, held token.Scopes) token.Scopes {
	var rest token.Scopes
	for _, scope := range set {
		if !held.Has(scope) {
			rest = append(rest, scope)
		}
	}
	return rest
}

// anyOf writes sets of which one is enough.
func anyOf(sets []token.Scopes) string {
	words := make([]string, len(sets))
	for i, set := range sets {
		words[i] = set.String()
	}
	return strings.Join(words, ", or ")
}

func orNothing(scopes token.Scopes) string {
	if len(scopes) == 0 {
		return "nothing"
	}
	return scopes.String()
}

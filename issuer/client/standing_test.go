package client

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// The gate takes what is built here.
var _ interface {
	CheckToken(*token.Claims) error
	Generation() uint64
} = (*Standing)(nil)

const api, stock = "https://api.example", "https://stock.example"

func holder(disabled bool) Client {
	return Client{ID: "batch", Scopes: token.Scopes{"read", "write"}, Roles: []string{"clerk"}, Resources: []string{api, stock}, Disabled: disabled}
}

// A token is good for what its client is and has at this moment.
func TestCheckToken(t *testing.T) {
	t.Parallel()
	ledger := NewLedger(&shelf{data: []byte(`{"clients":{"batch":{"epoch":2,"alive":true}}}`)})
	if err := ledger.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	live := NewStanding(newRegistry(t, holder(false), Client{ID: "bare"}), ledger, &revocations{})
	off := NewStanding(newRegistry(t, holder(true)), ledger, &revocations{})
	present := token.NewID(2)
	for name, test := range map[string]struct {
		standing *Standing
		claims   token.Claims
		check    token.Check
	}{
		"all it has":      {live, token.Claims{ClientID: "batch", ID: present, Scope: token.Scopes{"write", "read"}, Roles: []string{"clerk"}, Audience: []string{stock, api}}, ""},
		"nothing":         {live, token.Claims{ClientID: "batch", ID: present, Audience: []string{api}}, ""},
		"later epoch":     {live, token.Claims{ClientID: "batch", ID: token.NewID(3), Audience: []string{api}}, ""},
		"unknown client":  {live, token.Claims{ClientID: "nobody", ID: present}, token.CheckClient},
		"no client":       {live, token.Claims{ID: present}, token.CheckClient},
		"other capitals":  {live, token.Claims{ClientID: "Batch", ID: present}, token.CheckClient},
		"disabled client": {off, token.Claims{ClientID: "batch", ID: present}, token.CheckClient},
		"earlier epoch":   {live, token.Claims{ClientID: "batch", ID: token.NewID(1)}, token.CheckClient},
		"first epoch":     {live, token.Claims{ClientID: "batch", ID: token.NewID(0)}, token.CheckClient},
		"no jti":          {live, token.Claims{ClientID: "batch"}, token.CheckClient},
		"epoch unread":    {live, token.Claims{ClientID: "batch", ID: "x.-3"}, token.CheckClient},
		"scope taken":     {live, token.Claims{ClientID: "batch", ID: present, Scope: token.Scopes{"read", "delete"}}, token.CheckEntitlement},
		"scope alike":     {live, token.Claims{ClientID: "batch", ID: present, Scope: token.Scopes{"Read"}}, token.CheckEntitlement},
		"role taken":      {live, token.Claims{ClientID: "batch", ID: present, Roles: []string{"clerk", "boss"}}, token.CheckEntitlement},
		"resource taken":  {live, token.Claims{ClientID: "batch", ID: present, Audience: []string{api, "https://other.example"}}, token.CheckEntitlement},
		"resource alike":  {live, token.Claims{ClientID: "batch", ID: present, Audience: []string{api + "/"}}, token.CheckEntitlement},
		"client that has no resource": {live, token.Claims{ClientID: "bare", ID: present, Audience: []string{api}},
			token.CheckEntitlement},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.standing.CheckToken(&test.claims)
			if check, _ := token.Failed(err); check != test.check || (err == nil) != (test.check == "") {
				t.Errorf("%v, expected %q", err, test.check)
			}
		})
	}
}

// Disabling takes effect at the next request, and enabling brings no earlier
// token back; new ones carry the epoch that is asked for when they are made.
func TestTokensOfDisabledClientStayRefused(t *testing.T) {
	t.Parallel()
	ledger := NewLedger(new(shelf))
	issue := func() *token.Claims {
		return &token.Claims{ClientID: "batch", ID: token.NewID(ledger.Current().Of(&Client{ID: "batch"})), Audience: []string{api}}
	}
	enabled, disabled := newRegistry(t, holder(false)), newRegistry(t, holder(true))
	record(t, ledger, map[string]bool{"batch": true})
	before := issue()
	if err := NewStanding(enabled, ledger, &revocations{}).CheckToken(before); err != nil {
		t.Fatal(err)
	}
	record(t, ledger, map[string]bool{"batch": false})
	if err := NewStanding(disabled, ledger, &revocations{}).CheckToken(before); err == nil {
		t.Error("good while its client is disabled")
	}
	record(t, ledger, map[string]bool{"batch": true})
	if err := NewStanding(enabled, ledger, &revocations{}).CheckToken(before); err == nil {
		t.Error("good again when its client is enabled again")
	}
	if err := NewStanding(enabled, ledger, &revocations{}).CheckToken(issue()); err != nil {
		t.Errorf("a new token: %v", err)
	}
}

// Before the ledger is read no token is good: a client that was disabled and
// enabled again must not have its old tokens back for the time of a start.
func TestNothingIsGoodBeforeTheLedgerIsRead(t *testing.T) {
	t.Parallel()
	ledger := NewLedger(&shelf{data: []byte("?")})
	standing := NewStanding(newRegistry(t, holder(false)), ledger, &revocations{})
	for range 2 {
		err := standing.CheckToken(&token.Claims{ClientID: "batch", ID: token.NewID(7), Audience: []string{api}})
		if check, _ := token.Failed(err); check != token.CheckClient {
			t.Errorf("%v", err)
		}
		if err := ledger.Load(t.Context()); err == nil {
			t.Fatal("read")
		}
	}
}

// What a gate remembers under a generation must not hold under another
// registry or after an epoch has changed, whatever the order of events.
func TestGenerationsDiffer(t *testing.T) {
	t.Parallel()
	ledger := NewLedger(new(shelf))
	record(t, ledger, map[string]bool{"batch": true})
	standings := []*Standing{
		NewStanding(newRegistry(t), ledger, &revocations{}),
		NewStanding(newRegistry(t), ledger, &revocations{}),
		NewStanding(newRegistry(t, holder(false)), ledger, &revocations{}),
	}
	seen := make(map[uint64]bool)
	for round := range 4 {
		for _, standing := range standings {
			generation := standing.Generation()
			if seen[generation] {
				t.Errorf("round %d: generation %d again", round, generation)
			}
			seen[generation] = true
			if standing.Generation() != generation {
				t.Error("a generation changed by itself")
			}
		}
		record(t, ledger, nil)
		record(t, ledger, map[string]bool{"batch": true})
	}
}

// revocations is a list of revoked tokens that can change.
type revocations struct {
	jti    string
	number uint64
}

func (r *revocations) Revoked(jti string) bool { return jti != "" && jti == r.jti }
func (r *revocations) Generation() uint64      { return r.number }

// A revoked token is refused, and what was remembered before is not asked again.
func TestStandingOfRevokedToken(t *testing.T) {
	t.Parallel()
	list := &revocations{}
	ledger := NewLedger(&shelf{})
	if err := ledger.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	standing := NewStanding(newRegistry(t, holder(false)), ledger, list)
	claims := &token.Claims{ClientID: holder(false).ID, ID: "x"}
	before := standing.Generation()
	if err := standing.CheckToken(claims); err != nil {
		t.Fatal(err)
	}
	list.jti, list.number = "x", 1
	if check, _ := token.Failed(standing.CheckToken(claims)); check != token.CheckRevoked || standing.Generation() == before {
		t.Fatalf("got %q", check)
	}
}

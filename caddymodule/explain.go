package caddymodule

import (
	"errors"
	"net/http"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// What becomes of a request.
const (
	resultPassed   = "passed"   // it reaches a handler that is neither gate nor issuer
	resultRefused  = "refused"  // a gate answers with an error
	resultAnswered = "answered" // somebody else answers, or nobody
	resultUnknown  = "unknown"  // it cannot be told without the network, or is up to a handler that is not executed
)

// explanation is what becomes of a request and why. Its JSON members are a
// surface that scripts rely on.
type explanation struct {
	Method   string             `json:"method"`
	URL      string             `json:"url"` // without the query, which may hold a token
	Server   string             `json:"server"`
	Gates    []explainedGate    `json:"gates"`
	Result   string             `json:"result"`
	Answer   *explainedAnswer   `json:"answer,omitempty"`
	Upstream *explainedUpstream `json:"upstream,omitempty"`
	Notes    []string           `json:"notes"`

	identity []string // names of the headers that gates set
	unsure   []string // handlers on the way that may refuse the request
}

// explainedGate is what one gate makes of the request.
type explainedGate struct {
	Resource   string           `json:"resource"`
	Method     string           `json:"method"` // as they stand where the gate runs
	Path       string           `json:"path"`
	ReportOnly bool             `json:"report_only"`
	Allowed    bool             `json:"allowed"`
	Reason     gate.Reason      `json:"reason"`
	Steps      []gate.Step      `json:"steps"`
	Answer     *explainedAnswer `json:"answer,omitempty"` // where it is not allowed
}

// explainedAnswer is what the client gets.
type explainedAnswer struct {
	By          string              `json:"by"` // the handler
	Status      int                 `json:"status,omitempty"`
	Error       string              `json:"error,omitempty"`
	Description string              `json:"error_description,omitempty"`
	Header      map[string][]string `json:"header,omitempty"`
}

// fails tells whether the client does not get what it asked for.
func (a *explainedAnswer) fails() bool {
	return slices.Contains([]string{byNobody, byNothing, byAbort}, a.By) || a.Status >= http.StatusMultipleChoices
}

// byNobody is who answers where no handler does: Caddy, with an empty 200.
const byNobody = "nobody"

// byAbort is who answers where the connection is closed without an answer.
const byAbort = "abort"

// explainedUpstream is what a handler behind the gates gets.
type explainedUpstream struct {
	Handler string            `json:"handler"`
	To      []string          `json:"to,omitempty"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Header  map[string]string `json:"header"` // who calls
}

func (e *explanation) note(text string) {
	if !slices.Contains(e.Notes, text) {
		e.Notes = append(e.Notes, text)
	}
}

// judged notes the verdict of a gate.
func (e *explanation) judged(g *Gate, facts *gate.Request, verdict *gate.Verdict) {
	one := explainedGate{
		Resource: g.Resource, Method: facts.Method, Path: facts.EscapedPath, ReportOnly: g.ReportOnly,
		Allowed: verdict.Allowed, Reason: verdict.Reason, Steps: g.gate.Explain(facts, verdict),
	}
	e.identity = append(e.identity, g.headers.client, g.headers.scope, g.headers.issuer)
	if len(facts.DPoP) > 0 {
		e.note("not checked: whether the DPoP proof was used before is known to the Caddy that runs; it is not marked as used")
	}
	var missing *notFetchedError
	switch {
	case verdict.Allowed:
	case errors.As(verdict.Err, &missing):
		e.note(missing.Error())
		e.Result = resultUnknown
		withoutKeys(one.Steps)
	default:
		one.Answer = answerOf(g, verdict)
		if !g.ReportOnly {
			e.Result, e.Answer = resultRefused, one.Answer
		}
	}
	e.Gates = append(e.Gates, one)
}

// answerOf is what [Gate.deny] answers.
func answerOf(g *Gate, verdict *gate.Verdict) *explainedAnswer {
	answer := &explainedAnswer{
		By: "oauth2_gate", Status: verdict.Status(), Error: verdict.Code(), Description: verdict.Description(),
		Header: make(map[string][]string),
	}
	if challenges := g.gate.Challenges(verdict); len(challenges) > 0 {
		answer.Header["WWW-Authenticate"] = challenges
	}
	if verdict.Nonce != "" {
		answer.Header["DPoP-Nonce"] = []string{"..."} // another one at each moment
	}
	if verdict.Status() == http.StatusServiceUnavailable {
		answer.Header["Retry-After"] = []string{"1"}
	}
	return answer
}

// resultNotChecked is of a step that needs what is not there offline.
const resultNotChecked gate.Result = "not_checked"

func withoutKeys(steps []gate.Step) {
	for i := range steps {
		if steps[i].Result != gate.Passed {
			steps[i].Result = resultNotChecked
		}
	}
}

// reached notes that the request has come to a handler that does not pass it on.
func (e *explanation) reached(r *http.Request, by *standIn) {
	if len(e.Gates) == 0 {
		e.note("no oauth2_gate stands before " + by.Name + " here: the request needs no token")
	}
	e.Result = resultPassed
	e.Upstream = &explainedUpstream{
		Handler: by.Name, To: by.To, Method: r.Method, Path: r.URL.EscapedPath(), Header: make(map[string]string),
	}
	for _, name := range e.identity {
		if value := r.Header.Get(name); value != "" {
			e.Upstream.Header[name] = value
		}
	}
	if r.Header.Get("Authorization") != "" {
		e.Upstream.Header["Authorization"] = "(as the client has sent it)"
	}
}

// answered notes that one of our own handlers answers.
func (e *explanation) answered(by string, status int) {
	e.Result, e.Answer = resultAnswered, &explainedAnswer{By: by, Status: status}
}

// passes notes that a request came through a handler that may refuse it.
func (e *explanation) passes(name string) {
	e.note("not checked: what " + name + " does with the request; it may refuse it")
	if !slices.Contains(e.unsure, name) {
		e.unsure = append(e.unsure, name)
	}
}

// doubt leaves open what becomes of a request that would get what it asks for, if
// every handler before that lets it pass.
func (e *explanation) doubt() {
	through := e.Result == resultPassed || e.Result == resultAnswered && !e.Answer.fails()
	if through && len(e.unsure) > 0 {
		e.Result = resultUnknown
	}
}

// notFetchedError is the error where keys of another server would be needed.
type notFetchedError struct{ issuer string }

func (e *notFetchedError) Error() string {
	return "not checked: keys of " + e.issuer + " are fetched at run time; --jwks '" + e.issuer + "=FILE' gives them here"
}

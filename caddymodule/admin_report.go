package caddymodule

import (
	"net/http"
	"strings"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
)

// reportAnswer is the answer at /oauth2/report.
type reportAnswer struct {
	// Since is when counting began: at the start of the process, or when the
	// report was last reset as a whole.
	Since time.Time `json:"since"`

	Rows []report.Row `json:"rows"`

	// Suggestions are the lines of Caddyfile with which these requests would pass.
	Suggestions string `json:"suggestions"`
}

// showReport answers
// GET /oauth2/report[?gate=<resource>...][&site=<site>...][&format=json|caddyfile].
func showReport(app *App, w http.ResponseWriter, r *http.Request, _ []string) error {
	return answerReport(app, w, r, (*report.Report).Snapshot)
}

// resetReport answers DELETE with the rows that it removed: nothing that is
// counted meanwhile is lost.
func resetReport(app *App, w http.ResponseWriter, r *http.Request, _ []string) error {
	return answerReport(app, w, r, (*report.Report).Reset)
}

func answerReport(app *App, w http.ResponseWriter, r *http.Request, take func(*report.Report, report.Filter) []report.Row) error {
	query, err := adminQuery(r, "gate", "site", "format")
	if err != nil {
		return err
	}
	format := strings.Join(query["format"], " ")
	if format != "" && format != "json" && format != "caddyfile" {
		return adminError(http.StatusBadRequest, "query: format %q: expected json or caddyfile", format)
	}
	if app.shared == nil {
		return adminError(http.StatusNotFound, "the running configuration has no issuer, own or trusted, and so no gate")
	}
	since := app.shared.report.Since()
	rows := take(app.shared.report, report.Filter{Gates: query["gate"], Sites: query["site"]})
	suggestions := report.Suggest(rows, current{app})
	if format != "caddyfile" {
		return writeJSON(w, reportAnswer{Since: since, Rows: rows, Suggestions: suggestions})
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte(suggestions)) // the client has gone: nothing to be done
	return nil
}

package caddymodule

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// secretUse is what is known of the use of a secret.
type secretUse struct {
	LastUsed    *time.Time `json:"last_used,omitempty"`    // left out: not since uses are counted
	LastAddress string     `json:"last_address,omitempty"` // where that came from; left out: not known
	Uses        uint64     `json:"uses"`
	Since       *time.Time `json:"counted_since,omitempty"` // left out: they are not counted yet
	Verdict     string     `json:"use"`                     // in words, see [client.Verdict]
	Safe        bool       `json:"safe_to_remove"`
}

// addUse completes secrets of a client with how each was used. positions are those
// that are known by their position alone.
func (a *App) addUse(clientID string, secrets []secretAnswer, positions map[string]bool) {
	states := make([]client.SecretState, len(secrets))
	for i := range secrets {
		shown := &secrets[i]
		used, _ := a.shared.usage.Of(clientID, shown.ID)
		states[i] = client.SecretState{ID: shown.ID, Used: used, ByPosition: positions[shown.ID]}
		if shown.Made != nil {
			states[i].Made = *shown.Made
		}
		if shown.Expires != nil {
			states[i].Expires = *shown.Expires
		}
		shown.Uses, shown.LastAddress = used.Count, used.Address
		if !used.Last.IsZero() {
			shown.LastUsed = inUTC(used.Last)
		}
		if !used.Since.IsZero() {
			shown.Since = inUTC(used.Since)
		}
	}
	verdicts := client.Removable(states, time.Now())
	for i := range secrets {
		verdict := verdicts[secrets[i].ID]
		secrets[i].Verdict, secrets[i].Safe = verdict.String(), verdict.Safe
	}
}

// positionsOf are the ids of a configured client's secrets that are nothing but
// their positions.
func positionsOf(configured *Client) map[string]bool {
	positions := make(map[string]bool)
	for i, secret := range configured.Secrets {
		if secret.ID == "" {
			positions[secret.id(i)] = true
		}
	}
	return positions
}

// forgetUse drops what is known of the use of secrets that are gone; without ids, of
// all of the client. That it could not
// be stored matters to nobody: ids are not given again.
func (a *App) forgetUse(ctx context.Context, clientID string, secretIDs ...string) {
	if err := a.shared.usage.Forget(ctx, clientID, secretIDs...); err != nil {
		a.logger.Warn("the use of removed secrets stays stored", zap.String("client_id", clientID), zap.Error(err))
	}
}

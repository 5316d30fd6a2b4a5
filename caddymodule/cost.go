package caddymodule

import (
	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// usualHashes is how many slow hashes a refused request costs where one client
// has two secrets, for rotation, and all have the same parameters.
const usualHashes = 2

// warnOfCost tells an operator that strangers can have many slow hashes
// computed. All refusals must cost the same, so that each costs one hash of
// every set of parameters that any client has.
func (a *App) warnOfCost(registry *client.Registry) {
	hashes, parameters := registry.SlowHashes()
	if hashes <= usualHashes {
		return
	}
	a.logger.Warn("each refused client authentication costs many slow hashes: give all secret_hash of a kind the same parameters, "+
		"or use generated secrets with $sha256$", zap.Int("slow_hashes", hashes), zap.Int("parameter_sets", parameters))
}

package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis/redistest"
)

// clusterConfig is that of a store in a Cluster, and a key of it: all are in one slot.
func clusterConfig(t *testing.T, nodes []*redistest.Server) (config redis.Config, key string) {
	t.Helper()
	config = redis.Config{
		URL: "redis://" + nodes[0].Address, Addresses: []string{nodes[1].Address}, Cluster: true,
		Prefix: "caddy-oauth2", Timeout: time.Second,
	}
	put(t, reopen(t, config), "a", "kept")
	for _, node := range nodes {
		keys, _ := node.Do(t, "KEYS", "caddy-oauth2:*doc:a").([]any)
		for _, found := range keys {
			return config, fmt.Sprint(found)
		}
	}
	t.Fatal("no node has the document")
	return config, ""
}

// The slot of an issuer moves to another node while instances write: nothing that was
// acknowledged is lost or passes twice, also where replicas are waited for, and
// writing goes on.
func TestSlotMoves(t *testing.T) {
	t.Parallel()
	for _, replicas := range []int{0, 1} {
		t.Run(fmt.Sprint(replicas), func(t *testing.T) {
			t.Parallel()
			nodes := redistest.StartReplicatedCluster(t)
			config, key := clusterConfig(t, nodes)
			config.WaitReplicas = replicas
			w := &writer{t: t, stores: []*redis.Store{taking(t, reopen(t, config)), taking(t, reopen(t, config))}, ended: make(chan struct{})}
			w.start()
			goesOn := func(what string) {
				t.Helper()
				before := w.acknowledged.Load()
				await(t, what, func() bool { return w.acknowledged.Load() > before+50 })
			}
			goesOn("writes before")
			from, slot := redistest.Owner(t, nodes[:3], key)
			to := nodes[0]
			if from == to {
				to = nodes[1]
			}
			redistest.BeginMove(t, slot, from, to)
			redistest.MoveKeys(t, slot, from, to)
			if replicas == 0 { // else what is asked of the new node ends there: 503
				goesOn("writes while it moves")
			}
			redistest.MoveKeys(t, slot, from, to) // what was written meanwhile
			redistest.EndMove(t, slot, from, to)
			goesOn("writes after")
			w.stop()
			if owner, _ := redistest.Owner(t, nodes[:3], key); owner != to {
				t.Errorf("%s has the slot", owner.Address)
			}
			w.expectAll(taking(t, reopen(t, config)))
		})
	}
}

// In a Cluster, too few replicas are an error as elsewhere, and enough of them none.
func TestReplicasOfCluster(t *testing.T) {
	t.Parallel()
	nodes := redistest.StartReplicatedCluster(t)
	config, key := clusterConfig(t, nodes)
	config.WaitReplicas = 1
	s := taking(t, reopen(t, config))
	change := func() error {
		return s.Update(t.Context(), "b", func(old []byte) ([]byte, error) { return append(old, 'x'), nil })
	}
	if err := change(); err != nil {
		t.Error(err)
	}
	master, _ := redistest.Owner(t, nodes[:3], key)
	for i, node := range nodes[:3] {
		if node == master {
			nodes[3+i].Freeze(t)
			defer nodes[3+i].Thaw(t)
		}
	}
	if err := change(); !errors.Is(err, redis.ErrReplicas) {
		t.Errorf("its replica is silent: %v", err)
	}
}

// The master that has the issuer's slot is killed while instances write: all that was
// acknowledged is there when its replica has taken over.
func TestFailoverInCluster(t *testing.T) {
	t.Parallel()
	nodes := redistest.StartReplicatedCluster(t)
	config, key := clusterConfig(t, nodes)
	config.WaitReplicas = 1
	w := &writer{t: t, stores: []*redis.Store{taking(t, reopen(t, config)), taking(t, reopen(t, config))}, ended: make(chan struct{})}
	w.start()
	await(t, "writes before", func() bool { return w.acknowledged.Load() > 100 })
	master, _ := redistest.Owner(t, nodes[:3], key)
	master.Kill()
	killed := time.Now()
	// Nobody is left whom the new master could have writes wait for.
	replica := nodes[0]
	for i, node := range nodes[:3] {
		if node == master {
			replica = nodes[3+i]
		}
	}
	await(t, "the replica takes over", func() bool {
		return strings.Contains(fmt.Sprint(replica.Do(t, "ROLE")), "master")
	})
	t.Logf("the replica took over %v after the master was killed", time.Since(killed).Round(time.Millisecond))
	w.stop()
	config.WaitReplicas = 0
	after := reopen(t, config)
	await(t, "it answers", func() bool { return after.Check(t.Context()) == nil })
	w.expectAll(taking(t, after))
}

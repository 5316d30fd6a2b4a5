package redistest

import (
	"fmt"
	"strconv"
	"testing"
)

// slots is how many a Redis Cluster has.
const slots = 16384

// nodeTimeout is for how many milliseconds a node may be silent before the others
// take it for dead: on a busy machine a live one may be for two seconds.
const nodeTimeout = "5000"

// StartCluster runs a Redis Cluster of three masters, and returns when all of
// them know of each other.
func StartCluster(t testing.TB) []*Server {
	t.Helper()
	const masters = 3
	var nodes []*Server
	for range masters {
		nodes = append(nodes, Start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", nodeTimeout))
	}
	host, port := nodes[0].hostAndPort()
	for i, node := range nodes {
		node.Do(t, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		node.Do(t, "CLUSTER", "ADDSLOTSRANGE", slots*i/masters, slots*(i+1)/masters-1)
		if i > 0 {
			node.Do(t, "CLUSTER", "MEET", host, port)
		}
	}
	for _, node := range nodes {
		node.until(t, "cluster_state:ok", "CLUSTER", "INFO")
		node.until(t, "cluster_known_nodes:3", "CLUSTER", "INFO")
	}
	return nodes
}

// StartReplicatedCluster runs a Redis Cluster of three masters with a replica each,
// which are in step. The replica of the node with an index is the one three behind it.
func StartReplicatedCluster(t testing.TB) []*Server {
	t.Helper()
	nodes := StartCluster(t)
	host, port := nodes[0].hostAndPort()
	masters := len(nodes)
	for range masters {
		replica := Start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", nodeTimeout)
		replica.Do(t, "CLUSTER", "MEET", host, port)
		nodes = append(nodes, replica)
	}
	for _, node := range nodes {
		node.until(t, fmt.Sprint("cluster_known_nodes:", len(nodes)), "CLUSTER", "INFO")
	}
	for i, replica := range nodes[masters:] {
		replica.Do(t, "CLUSTER", "REPLICATE", nodes[i].id(t))
		replica.until(t, "master_link_status:up", "INFO", "replication")
	}
	return nodes
}

// Owner is the master among the nodes that has the slot of a key, and the slot.
func Owner(t testing.TB, nodes []*Server, key string) (owner *Server, slot int64) {
	t.Helper()
	slot, _ = nodes[0].Do(t, "CLUSTER", "KEYSLOT", key).(int64)
	for _, node := range nodes {
		// Which slots are its own, shows where one asks: others redirect.
		if _, err := node.try(t, "EXISTS", key); err == nil {
			return node, slot
		}
	}
	t.Fatalf("nobody has slot %d", slot)
	return nil, 0
}

// BeginMove has two masters move a slot: until [EndMove], the old one redirects to
// the new one what it has no longer (ASK).
func BeginMove(t testing.TB, slot int64, from, to *Server) {
	t.Helper()
	to.Do(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", from.id(t))
	from.Do(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", to.id(t))
}

// MoveKeys moves the keys of the slot that there are.
func MoveKeys(t testing.TB, slot int64, from, to *Server) {
	t.Helper()
	host, port := to.hostAndPort()
	keys, _ := from.Do(t, "CLUSTER", "GETKEYSINSLOT", slot, 1000).([]any)
	for _, key := range keys {
		from.Do(t, "MIGRATE", host, strconv.Itoa(port), key, 0, 5000)
	}
}

// EndMove makes the new master the owner: from then on the old one redirects for good
// (MOVED).
func EndMove(t testing.TB, slot int64, from, to *Server) {
	t.Helper()
	for _, node := range []*Server{to, from} {
		node.Do(t, "CLUSTER", "SETSLOT", slot, "NODE", to.id(t))
	}
}

// id is what a node of a Cluster calls itself.
func (s *Server) id(t testing.TB) string {
	t.Helper()
	return fmt.Sprint(s.Do(t, "CLUSTER", "MYID"))
}

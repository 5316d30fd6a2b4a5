package redistest

import "testing"

// slots is how many a Redis Cluster has.
const slots = 16384

// StartCluster runs a Redis Cluster of three masters, and returns when all of
// them know of each other.
func StartCluster(t testing.TB) []*Server {
	t.Helper()
	const masters = 3
	var nodes []*Server
	for range masters {
		nodes = append(nodes, Start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "15000"))
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

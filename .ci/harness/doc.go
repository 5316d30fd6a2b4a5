// Package harness is what the tests below .ci share that run the Caddy binary
// with the plugin: which binary that is, free ports, and processes.
package harness

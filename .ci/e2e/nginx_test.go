package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// One process, which takes header names with underscores for those with hyphens,
// as CGI does.
const nginxConfiguration = `daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events {}
http {
	access_log off;
	client_body_temp_path temp-body;
	proxy_temp_path temp-proxy;
	fastcgi_temp_path temp-fastcgi;
	uwsgi_temp_path temp-uwsgi;
	scgi_temp_path temp-scgi;
	underscores_in_headers on;
	ignore_invalid_headers off;
	default_type text/plain;
	server {
		listen 127.0.0.1:%d;
		root %s;
		location = /public/whoami {
			return 200 "[$http_x_client_id][$http_x_client_scope][$http_x_client_issuer]";
		}
		location /public/ {
			error_page 405 =200 $uri; # a POST is answered as well
		}
	}
}
`

// startNginx runs an nginx that serves a folder, and returns its address. The
// test's end ends it.
func startNginx(t *testing.T, serves string) string {
	t.Helper()
	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary = "/usr/sbin/nginx" // which is not in everybody's PATH
	}
	folder, port, printed, exited := t.TempDir(), freePort(t), new(output), make(chan struct{})
	configuration := filepath.Join(folder, "nginx.conf")
	writeFile(t, configuration, fmt.Sprintf(nginxConfiguration, port, serves))
	process := exec.Command(binary, "-p", folder, "-e", "stderr", "-c", configuration)
	process.Stdout, process.Stderr = printed, printed
	if err := process.Start(); err != nil {
		t.Fatalf("nginx, which .ci/install-tools installs: %v", err)
	}
	go func() {
		defer close(exited)
		_ = process.Wait() // how it ended is of no interest
	}()
	t.Cleanup(func() { end(t, process, exited) })
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for deadline := time.Now().Add(patience); ; {
		if connection, err := net.Dial("tcp", address); err == nil {
			_ = connection.Close()
			return address
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not serve:\n%s", printed)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

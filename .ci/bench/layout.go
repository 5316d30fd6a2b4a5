package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
)

// layout is a Caddyfile in the making. `url` and `port` make a port for each
// name that they are asked for.
type layout struct {
	ports    map[string]int
	folder   string
	upstream string
}

func (l *layout) port(site string) (int, error) {
	if port, known := l.ports[site]; known {
		return port, nil
	}
	for {
		port, err := freePort()
		if err != nil {
			return 0, err
		}
		// One that is free may be that of a site whose listener is yet to come.
		if !slices.Contains(slices.Collect(maps.Values(l.ports)), port) {
			l.ports[site] = port
			return port, nil
		}
	}
}

func (l *layout) url(site string) (string, error) {
	port, err := l.port(site)
	return address(site, port), err
}

// overTLS ends the names of sites that ask for a certificate.
const overTLS = " over TLS"

func address(site string, port int) string {
	if strings.HasSuffix(site, overTLS) { // Caddy asks for a name where certificates are asked for
		return fmt.Sprintf("https://localhost:%d", port)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

func (l *layout) render(text string) ([]byte, error) {
	parsed, err := template.New("Caddyfile").Funcs(template.FuncMap{
		"url":      l.url,
		"port":     l.port,
		"folder":   func() string { return l.folder },
		"upstream": func() string { return l.upstream },
		"rules":    rules,
		"clients":  clients,
		"trusted":  l.trusted,
		"issuers":  issuers,
	}).Parse(head + text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, nil)
	return out.Bytes(), err
}

package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// What stands in Caddyfiles many times.

// clients are others than those that the rows use.
func clients(count int) string {
	var text strings.Builder
	for i := range count {
		hash := sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
		fmt.Fprintf(&text, "client other-%d {\nsecret_hash $sha256$%s\nscopes read\n}\n", i, base64.RawStdEncoding.EncodeToString(hash[:]))
	}
	return text.String()
}

// ruleSites and issuerSites are the sites of which there is one for each count.
type (
	ruleSites   struct{ Counts []int }
	issuerSites struct{ Counts []int }
)

func rules() ruleSites { return ruleSites{[]int{1, 100, 1000}} }

// Lines are that many rules; the one that matches is in the middle.
func (ruleSites) Lines(count int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, "require GET /part%d/{id} read\n", 500-count/2+i)
	}
	return text.String()
}

func issuers() issuerSites { return issuerSites{[]int{1, 10, 50}} }

// Line is the last that many trusted issuers: the tokens are of the very last.
func (issuerSites) Line(count int) string {
	line := "issuers"
	for i := 50 - count; i < 50; i++ {
		line += " " + trustedURL(i)
	}
	return line
}

func trustedURL(i int) string { return fmt.Sprintf("https://issuer-%d.example", i) }

func (l *layout) trusted(count int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, "trusted_issuer %s {\njwks %q\n}\n", trustedURL(i), l.folder+"/jwks.json")
	}
	return text.String()
}

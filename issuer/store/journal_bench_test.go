package store_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// BenchmarkJournal is a clean restart with a million live marks, over files.
func BenchmarkJournal(b *testing.B) {
	documents := store.OverStorage(&certmagic.FileStorage{Path: b.TempDir()}, prefix)
	journal := store.NewJournal(documents, 2_000_000, time.Now)
	if err := journal.Resume(b.Context(), longest); err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	for number := range 1_000_000 {
		err := journal.Mark(b.Context(), store.Mark{
			Kind: store.KindAssertion, Owner: strconv.Itoa(number % 1000), ID: strconv.Itoa(number),
			Made: now, Until: now.Add(time.Hour + time.Duration(number%3600)*time.Second),
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	var suspending, resuming time.Duration
	rounds := 0
	for b.Loop() {
		began := time.Now()
		if err := journal.Suspend(b.Context()); err != nil {
			b.Fatal(err)
		}
		suspending += time.Since(began)
		document, err := documents.Load(b.Context(), store.JournalName)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(document))/1e6, "MB/document")
		journal = store.NewJournal(documents, 2_000_000, time.Now)
		began = time.Now()
		if err := journal.Resume(b.Context(), longest); err != nil {
			b.Fatal(err)
		}
		resuming += time.Since(began)
		rounds++
	}
	b.ReportMetric(suspending.Seconds()/float64(rounds)*1000, "ms/suspend")
	b.ReportMetric(resuming.Seconds()/float64(rounds)*1000, "ms/resume")
}

package report

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const orders = "https://orders.example"

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newReport(rows int) (*Report, *clock) {
	c := &clock{start}
	return New(Config{Rows: rows, Now: c.Now}), c
}

// byClient is a refusal of a client that has proved who it is.
func byClient(id, path string) Entry {
	return Entry{
		Gate: orders, ClientID: id, Verified: true, Address: "192.0.2.1", UserAgent: "batch/1",
		Method: "GET", Path: path, Uncovered: true, Reason: gate.ReasonNoRule, Scope: token.Scopes{"read"}, ID: "id-" + id,
	}
}

// byStranger is a refusal of somebody without a token.
func byStranger(address, agent, path string) Entry {
	return Entry{Gate: orders, Address: address, UserAgent: agent, Method: "GET", Path: path, Reason: gate.ReasonNoToken}
}

func add(r *Report, entries ...Entry) {
	for _, entry := range entries {
		r.Add(&entry)
	}
}

func sum(rows []Row) (reported, refused uint64) {
	for _, row := range rows {
		reported, refused = reported+row.Reported, refused+row.Refused
	}
	return reported, refused
}

// What an operator reads of a client's refusals: how many passed and how many
// did not, when, and what the last one was.
func TestRow(t *testing.T) {
	t.Parallel()
	r, c := newReport(0)
	first := byClient("batch", "/orders/17")
	add(r, first)
	c.now = start.Add(time.Hour)
	second := byClient("batch", "/orders/42")
	second.Enforced, second.Address, second.UserAgent = true, "192.0.2.2", "batch/2" // the same client from elsewhere
	second.ID, second.Scope, second.Needs = "id-2", token.Scopes{"read", "write"}, []token.Scopes{{"admin"}}
	add(r, second)
	rows := r.Snapshot(Filter{})
	if len(rows) != 1 {
		t.Fatalf("got %d rows: %+v", len(rows), rows)
	}
	got := rows[0]
	if got.Gate != orders || got.Site != "" || !got.Verified || got.ClientID != "batch" || got.Address != "" || got.UserAgent != "" ||
		got.Method != "GET" || got.Path != "/orders/{}" || got.Rule != "" || !got.Uncovered || got.Reason != gate.ReasonNoRule {
		t.Errorf("key: %+v", got)
	}
	if got.Reported != 1 || got.Refused != 1 || got.Count() != 2 || !got.FirstSeen.Equal(start) || !got.LastSeen.Equal(c.now) {
		t.Errorf("counts: %+v", got)
	}
	if got.RefusalID != "id-2" || !slices.Equal(got.Scope, second.Scope) || len(got.Needs) != 1 || got.Other {
		t.Errorf("of the last one: %+v", got)
	}
}

// Each of these differs from the first one in what makes a row.
func TestRowsAreToldApart(t *testing.T) {
	t.Parallel()
	entries := []Entry{
		byClient("batch", "/a"), byClient("other", "/a"), byClient("batch", "/b"), byClient("batch", "/a/"),
		byStranger("192.0.2.1", "curl", "/a"), byStranger("192.0.2.2", "curl", "/a"), byStranger("192.0.2.1", "wget", "/a"),
	}
	for _, change := range []func(*Entry){
		func(e *Entry) { e.Gate = "https://other.example" },
		func(e *Entry) { e.Site = "b.example :443" },
		func(e *Entry) { e.Method = "POST" },
		func(e *Entry) { e.Rule = "/{x}" },
		func(e *Entry) { e.Rule = "/a" }, // a rule is not a path that looks like it
		func(e *Entry) { e.Reason = gate.ReasonScope },
		func(e *Entry) { e.Issuer = "https://idp.example" },
		func(e *Entry) { e.Verified = false }, // whoever writes the client's name into a token
		func(e *Entry) { e.Uncovered = false },
	} {
		entry := byClient("batch", "/a")
		change(&entry)
		entries = append(entries, entry)
	}
	r, _ := newReport(0)
	add(r, entries...)
	add(r, entries...)
	rows := r.Snapshot(Filter{})
	if len(rows) != len(entries) {
		t.Errorf("got %d rows of %d entries", len(rows), len(entries))
	}
	for _, row := range rows {
		if row.Count() != 2 {
			t.Errorf("got %d of %+v", row.Count(), row)
		}
	}
}

// A terminal or a log viewer that shows the report must not obey strangers, and
// must not be filled by one of them.
func TestStrangersText(t *testing.T) {
	t.Parallel()
	evil := "\x1b]0;owned\x07\r\n\u202e\\%\x00" + strings.Repeat("x", 100_000)
	r, _ := newReport(0)
	add(r, Entry{
		Gate: orders, ClientID: evil, Issuer: evil, Address: evil, UserAgent: evil, Method: evil, Path: evil,
		Reason: gate.ReasonNoToken,
	}, Entry{Gate: orders, ClientID: evil, Verified: true, Method: evil, Path: "/" + evil, Reason: gate.ReasonNoRule})
	rows := r.Snapshot(Filter{})
	if len(rows) != 2 {
		t.Fatalf("got %d rows", len(rows))
	}
	for _, row := range rows {
		for _, text := range []string{row.ClientID, row.Issuer, row.Address, row.UserAgent, row.Method, row.Path, row.Caller(), Suggest(rows, current{})} {
			printable(t, text)
		}
		if length := len(row.ClientID + row.Address + row.UserAgent + row.Method + row.Path); length > 1000 {
			t.Errorf("kept %d octets", length)
		}
	}
	if rows[0].Issuer+rows[1].Issuer != "" {
		t.Error("an issuer that nobody has verified")
	}
}

func printable(t *testing.T, text string) {
	t.Helper()
	for i := range len(text) {
		if c := text[i]; (c < ' ' || c > '~') && c != '\n' || c == '\\' {
			t.Fatalf("octet %#x in %q", c, text)
		}
	}
}

// Scopes come from tokens of up to 16 KiB, and tokens must not be kept.
func TestScopesAreBounded(t *testing.T) { // not parallel: it counts allocations
	var scope token.Scopes
	for i := range 1000 {
		scope = append(scope, fmt.Sprintf("scope:%d", i))
	}
	entry := byClient("batch", "/a")
	entry.Scope = scope
	r, _ := newReport(0)
	add(r, entry)
	got := r.Snapshot(Filter{})[0].Scope
	if len(got) < 10 || len(got.String()) > maxScope || !slices.Equal(got, scope[:len(got)]) {
		t.Errorf("kept %d scopes, %d octets", len(got), len(got.String()))
	}
	if allocations := testing.AllocsPerRun(100, func() { r.Add(&entry) }); allocations > 0 {
		t.Errorf("a known row allocates %.0f times", allocations)
	}
}

// Whoever counts while the report is read and reset, no request is lost and
// none is counted twice, also where there is no room.
func TestParallelCountsAreExact(t *testing.T) {
	t.Parallel()
	const workers, each = 64, 2000
	r := New(Config{Rows: 200})
	var (
		adding, reading sync.WaitGroup
		taken           []Row
		done            = make(chan struct{})
	)
	for worker := range workers {
		adding.Go(func() {
			for i := range each {
				entry := byClient(fmt.Sprint("client", i%30), "/a/"+name(i%7))
				if worker%2 == 0 {
					entry = byStranger(fmt.Sprintf("10.0.%d.%d", worker, i%200), "curl", "/a/"+name(i))
				}
				entry.Enforced = i%4 == 0
				r.Add(&entry)
			}
		})
	}
	reading.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				r.Snapshot(Filter{})
				taken = append(taken, r.Reset(Filter{})...)
				taken = append(taken, r.Reset(Filter{Gates: []string{orders}})...)
			}
		}
	})
	adding.Wait()
	close(done)
	reading.Wait()
	reported, refused := sum(append(taken, r.Snapshot(Filter{})...))
	if want := uint64(workers * each); refused != want/4 || reported != want-want/4 {
		t.Errorf("got %d and %d of %d", reported, refused, want)
	}
	r.Reset(Filter{})
	for i := range r.rooms {
		if used := r.rooms[i].used.Load(); used != 0 {
			t.Errorf("room %d: %d rows of an empty report", i, used)
		}
	}
}

// name is a word without digits.
func name(i int) string {
	word := []byte("x")
	for ; i > 0; i /= 26 {
		word = append(word, 'a'+byte(i%26))
	}
	return string(word)
}

// Strangers, however many, do not push out or keep out clients; and one address
// does not keep out others. Sums stay exact.
func TestFlood(t *testing.T) {
	t.Parallel()
	r, _ := newReport(1600)
	add(r, byClient("early", "/a"), byStranger("192.0.2.7", "cron", "/a"))
	for i := range 5000 {
		add(r, byStranger("198.51.100.1", "scanner"+name(i), "/"+name(i)))
	}
	add(r, byStranger("192.0.2.8", "late", "/a")) // there is room beside one address
	for i := range 5000 {
		add(r, byStranger(fmt.Sprintf("203.%d.%d.1", i/250, i%250), "bots", "/"+name(i)))
		add(r, byStranger(fmt.Sprintf("2001:db8::%x", i), "one host's network", "/"+name(i)))
	}
	add(r, byStranger("192.0.2.9", "later", "/a")) // no room
	add(r, byClient("late", "/a"), byClient("early", "/a"), byStranger("192.0.2.7", "cron", "/a"))
	rows := r.Snapshot(Filter{})
	count := func(match func(*Row) bool) (rowCount int, requests uint64) {
		for i := range rows {
			if match(&rows[i]) {
				rowCount++
				requests += rows[i].Count()
			}
		}
		return rowCount, requests
	}
	for _, want := range []struct {
		what     string
		rows     int
		requests uint64
		match    func(*Row) bool
	}{
		{"known client", 1, 2, func(r *Row) bool { return r.ClientID == "early" }},
		{"new client", 1, 1, func(r *Row) bool { return r.ClientID == "late" }},
		{"known address", 1, 2, func(r *Row) bool { return r.Address == "192.0.2.7" }},
		{"address after a flood by one", 1, 1, func(r *Row) bool { return r.Address == "192.0.2.8" }},
		{"address after a flood by many", 0, 0, func(r *Row) bool { return r.Address == "192.0.2.9" }},
		{"one address", 100, 100, func(r *Row) bool { return r.Address == "198.51.100.1" }},
		{"one network", 100, 100, func(r *Row) bool { return strings.HasPrefix(r.Address, "2001:db8:") }},
		{"others", 1, 15007 - 804, func(r *Row) bool { return r.Other }},
		{"all", 803, 15007, func(*Row) bool { return true }},
	} {
		if gotRows, gotRequests := count(want.match); gotRows != want.rows || gotRequests != want.requests {
			t.Errorf("%s: got %d rows of %d requests, want %d of %d", want.what, gotRows, gotRequests, want.rows, want.requests)
		}
	}
}

// A client that finds no room is still told apart from strangers.
func TestNoRoomForClients(t *testing.T) {
	t.Parallel()
	r, _ := newReport(16) // eight clients' rows, one for each
	for i := range 20 {
		add(r, byClient("greedy", "/"+name(i)), byClient(name(i), "/a"))
	}
	var others []Row
	for _, row := range r.Snapshot(Filter{}) {
		if row.Other {
			others = append(others, row)
		}
	}
	if len(others) != 1 || !others[0].Verified || others[0].Count() != 40-8 || others[0].Gate != orders || others[0].Reason != gate.ReasonNoRule {
		t.Errorf("got %+v", others)
	}
	r.Reset(Filter{})
	add(r, byClient("greedy", "/a"), byClient("new", "/a"))
	if rows := r.Snapshot(Filter{}); len(rows) != 2 || rows[0].Other || rows[1].Other {
		t.Errorf("no room after a reset: %+v", rows)
	}
}

func TestResetOfAGate(t *testing.T) {
	t.Parallel()
	r, c := newReport(0)
	other := byClient("batch", "/a")
	other.Gate = "https://other.example"
	add(r, byClient("batch", "/a"), byClient("batch", "/b"), other)
	c.now = start.Add(time.Minute)
	if got := r.Snapshot(Filter{Gates: []string{other.Gate}}); len(got) != 1 || got[0].Gate != other.Gate {
		t.Errorf("one gate: %+v", got)
	}
	if got := r.Reset(Filter{Gates: []string{orders}}); len(got) != 2 {
		t.Errorf("removed: %+v", got)
	}
	if got := r.Snapshot(Filter{}); len(got) != 1 || got[0].Gate != other.Gate || !r.Since().Equal(start) {
		t.Errorf("left: %+v since %s", got, r.Since())
	}
	if got := r.Reset(Filter{}); len(got) != 1 || !r.Since().Equal(c.now) || len(r.Snapshot(Filter{})) != 0 {
		t.Errorf("all: %+v since %s", got, r.Since())
	}
}

// A site is named as the report shows it, or by a part of that.
func TestFilterOfSites(t *testing.T) {
	t.Parallel()
	r, _ := newReport(0)
	sites := []string{"a.example,b.example /orders/* :443", "a.example :8443", ""}
	for i, site := range sites {
		entry := byClient("batch", "/"+name(i))
		entry.Site = site
		add(r, entry)
	}
	for _, c := range []struct {
		wanted Filter
		rows   int
	}{
		{Filter{}, 3}, {Filter{Sites: []string{"a.example"}}, 2}, {Filter{Sites: []string{"b.example"}}, 1},
		{Filter{Sites: []string{":8443"}}, 1}, {Filter{Sites: sites[:1]}, 1}, {Filter{Sites: []string{":8443", "b.example"}}, 2},
		{Filter{Sites: []string{"example"}}, 0}, {Filter{Sites: []string{""}}, 1}, {Filter{Sites: []string{"a.example"}, Gates: []string{"https://x"}}, 0},
		{Filter{Sites: []string{"a.example"}, Gates: []string{orders}}, 2},
	} {
		if got := r.Snapshot(c.wanted); len(got) != c.rows {
			t.Errorf("%q: %+v", c.wanted, got)
		}
	}
	if got := r.Reset(Filter{Sites: []string{"a.example"}}); len(got) != 2 || len(r.Snapshot(Filter{})) != 1 || !r.Since().Equal(start) {
		t.Errorf("removed: %+v", got)
	}
}

// maxMemory is what docs/operations.md promises.
const maxMemory = 20 << 20

// A million paths, addresses and programs, each as long as it can be, cost no
// more than the rows that there may be.
func TestMemoryIsBounded(t *testing.T) { // not parallel: it measures
	heap := func() int64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	before := heap()
	r, _ := newReport(0)
	long := strings.Repeat("\x01", 90)
	site := strings.Repeat("s", 200) // more than the module makes
	entry := Entry{Gate: orders, Site: site, Method: "PROPFIND", Reason: gate.ReasonScope, Needs: []token.Scopes{{"read"}}}
	scope := token.Scopes{strings.Repeat("s", maxScope-1)}
	rest := strings.Repeat("/"+strings.Repeat("a", 30), 4)
	padding, octets := strings.Repeat("c", maxVerifiedID), make([]byte, 0, 1024)
	for i := range 1_000_000 {
		if i == 100_000 { // more than there is room for
			rest, long = "", ""
		}
		word := name(i)
		entry.Path, entry.UserAgent = "/"+word+rest, word+long
		entry.Address = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String()
		entry.ID = word
		entry.Verified, entry.Scope = i%4 == 0, nil
		if entry.Verified {
			entry.Scope = scope
		}
		octets = append(append(octets[:0], word...), padding[len(word):]...)
		entry.ClientID = string(octets)
		r.Add(&entry)
	}
	used := heap() - before
	rows := r.Snapshot(Filter{})
	if reported, _ := sum(rows); reported != 1_000_000 || len(rows) != defaultRows+2 {
		t.Errorf("counted %d in %d rows", reported, len(rows))
	}
	t.Logf("%d rows in %.1f MB", len(rows), float64(used)/(1<<20))
	if used > maxMemory {
		t.Errorf("%d octets for %d rows", used, len(rows))
	}
	runtime.KeepAlive(r)
}

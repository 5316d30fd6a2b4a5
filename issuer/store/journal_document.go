package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// journal is the document of a [Journal]:
//
//	{
//	  "version": 1,
//	  "runs": ["<name of a run that has not stopped in order>"],
//	  "strict_since": 1800000000,
//	  "strict_until": 1800003630,
//	  "forgotten": 1800000000,
//	  "marks": "<base64 of all marks>"
//	}
//
// A mark is 28 bytes: 16 of its key, 8 of its owner, 4 of the second at which
// it lapses. Numbers are big-endian, times Unix seconds. Marks stand in the order
// of their keys, each once. Members other than the first two are left out where
// they are 0 or empty.
type journal struct {
	runs      []string
	strict    Strictness
	forgotten uint32 // marks that were due by this second are gone
	marks     []record
}

const (
	journalVersion = 1
	recordSize     = 16 + 8 + 4
)

type wireJournal struct {
	Version     int      `json:"version"`
	Runs        []string `json:"runs"`
	StrictSince uint32   `json:"strict_since,omitempty"`
	StrictUntil uint32   `json:"strict_until,omitempty"`
	Forgotten   uint32   `json:"forgotten,omitempty"`
	Marks       []byte   `json:"marks,omitempty"`
}

// lostRun stands for whoever ran before and is not known.
const lostRun = "lost"

// LostJournal is the document of a [Journal] that knows no use from before.
func LostJournal() []byte { return []byte(lostJournal) }

const lostJournal = `{"version":1,"runs":["` + lostRun + `"]}`

// journalHelp is what an operator can do about a document that cannot be read.
const journalHelp = `it is left as it is; restore it, or replace it by ` + lostJournal + `, ` +
	`after which statements made before the next start are refused`

// unclean tells whether uses may be unknown to who starts now: somebody did not
// stop in order, or the clock was set back to a time at which marks that were
// forgotten since would be live again.
func (d journal) unclean(now time.Time) bool {
	return len(d.runs) > 0 || d.forgotten > secondOf(now)
}

// alive returns the marks that have not lapsed.
func (d journal) alive(now time.Time) []record {
	return slices.DeleteFunc(d.marks, func(mark record) bool { return mark.due <= secondOf(now) })
}

func (d journal) encode() ([]byte, error) {
	wire := wireJournal{
		Version: journalVersion, Runs: append([]string{}, d.runs...),
		StrictSince: d.strict.Since, StrictUntil: d.strict.Until,
		Forgotten: d.forgotten, Marks: make([]byte, 0, len(d.marks)*recordSize),
	}
	for _, mark := range d.marks {
		wire.Marks = append(wire.Marks, mark.key[:]...)
		wire.Marks = binary.BigEndian.AppendUint64(wire.Marks, mark.owner)
		wire.Marks = binary.BigEndian.AppendUint32(wire.Marks, mark.due)
	}
	return json.Marshal(wire)
}

// decodeJournal reads the document strictly: but for white space it must be
// what encode writes. A member that is unknown, stands twice or is spelt with
// other capitals, all of which encoding/json lets pass, could hide a mark. A
// missing document, nil, is an empty one.
func decodeJournal(data []byte) (journal, error) {
	if data == nil {
		return journal{}, nil
	}
	decoded, err := parseJournal(data)
	if err != nil {
		return journal{}, fmt.Errorf("%s: %w; %s", JournalName, err, journalHelp)
	}
	return decoded, nil
}

func parseJournal(data []byte) (journal, error) {
	var wire wireJournal
	if err := json.Unmarshal(data, &wire); err != nil {
		return journal{}, fmt.Errorf("expected the JSON that this program writes: %w", err)
	}
	if wire.Version != journalVersion {
		return journal{}, fmt.Errorf("version: expected %d, got %d", journalVersion, wire.Version)
	}
	decoded, err := wire.read()
	if err != nil {
		return journal{}, err
	}
	again, err := decoded.encode()
	if err != nil {
		return journal{}, err
	}
	if !bytes.Equal(data, again) { // as it is after an operator had it indented
		var compact bytes.Buffer
		if err := json.Compact(&compact, data); err != nil || !bytes.Equal(compact.Bytes(), again) {
			return journal{}, errors.New("expected exactly the members that this program writes, each once and in its order")
		}
	}
	return decoded, nil
}

func (w wireJournal) read() (journal, error) {
	decoded := journal{runs: w.Runs, strict: Strictness{Since: w.StrictSince, Until: w.StrictUntil}, forgotten: w.Forgotten}
	seen := make(map[string]bool)
	for _, run := range w.Runs {
		if !validRun(run) || seen[run] {
			return journal{}, errors.New("runs: expected names of 1 to 64 letters and digits, each once")
		}
		seen[run] = true
	}
	if (decoded.strict != Strictness{}) && (w.StrictSince == 0 || w.StrictUntil <= w.StrictSince) {
		return journal{}, errors.New("strict_until: expected a time after strict_since")
	}
	if len(w.Marks)%recordSize != 0 {
		return journal{}, fmt.Errorf("marks: expected %d bytes for each, got %d in all", recordSize, len(w.Marks))
	}
	decoded.marks = make([]record, len(w.Marks)/recordSize)
	for i := range decoded.marks {
		stored := w.Marks[i*recordSize:]
		decoded.marks[i] = record{
			key:   markKey(stored),
			owner: binary.BigEndian.Uint64(stored[16:]),
			due:   binary.BigEndian.Uint32(stored[24:]),
		}
		if i > 0 && decoded.marks[i].compare(decoded.marks[i-1]) <= 0 {
			return journal{}, fmt.Errorf("marks: number %d: expected a greater key than before it", i+1)
		}
	}
	return decoded, nil
}

func validRun(run string) bool {
	return run != "" && len(run) <= 64 && strings.IndexFunc(run, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) < 0
}

// merge joins two lists that are sorted by key. Of a use that is in both, the
// later end counts.
func merge(a, b []record) []record {
	merged := make([]record, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch order := a[0].compare(b[0]); {
		case order < 0:
			merged, a = append(merged, a[0]), a[1:]
		case order > 0:
			merged, b = append(merged, b[0]), b[1:]
		default:
			b[0].due = max(a[0].due, b[0].due)
			a = a[1:]
		}
	}
	return append(append(merged, a...), b...)
}

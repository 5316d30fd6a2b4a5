package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// DocumentName is the document that a [Ledger] is kept in.
const DocumentName = "clients.json"

// entry is what the ledger knows of a client, present or past.
type entry struct {
	// Epoch counts how often its tokens were made void.
	Epoch uint64 `json:"epoch"`
	// Alive: it was enabled when it was last recorded.
	Alive bool `json:"alive"`
}

// maxEpoch is the greatest number that every JSON reader keeps exactly. An
// epoch must not wrap around to one that old tokens carry.
const maxEpoch = 1<<53 - 1

type document struct {
	Clients map[string]entry `json:"clients"`
	// Beside names documents that are there since, sorted: see [NewLedger].
	Beside []string `json:"beside,omitempty"`
}

func (d document) equal(other document) bool {
	return maps.Equal(d.Clients, other.Clients) && slices.Equal(d.Beside, other.Beside)
}

// decodeDocument reads the document strictly: but for white space it must be
// what [encodeDocument] writes. An unknown member, one that stands twice, is
// missing or spelt with other capitals, all of which encoding/json lets pass,
// could lower an epoch and bring tokens back to life.
func decodeDocument(data []byte) (document, error) {
	var decoded document
	if err := json.Unmarshal(data, &decoded); err != nil {
		return document{}, fmt.Errorf("%s: expected the JSON that this program writes: %w", DocumentName, err)
	}
	again, err := encodeDocument(decoded)
	if err != nil {
		return document{}, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return document{}, fmt.Errorf("%s: %w", DocumentName, err)
	}
	if decoded.Clients == nil || !bytes.Equal(compact.Bytes(), again) {
		return document{}, errors.New(DocumentName + `: expected exactly {"clients":{"<client_id>":{"epoch":<number>,"alive":<boolean>}}}, ` +
			`sorted by client_id, and behind it "beside" where this program has written that`)
	}
	return decoded, nil
}

// encodeDocument writes the document. What could not be read again it refuses.
func encodeDocument(d document) ([]byte, error) {
	for id, found := range d.Clients {
		if !ValidID(id) || found.Epoch > maxEpoch {
			return nil, fmt.Errorf("%s: client %q: expected a client_id and an epoch up to %d", DocumentName, id, uint64(maxEpoch))
		}
	}
	for i, name := range d.Beside {
		if store.CheckName(name) != nil || i > 0 && name <= d.Beside[i-1] {
			return nil, fmt.Errorf("%s: beside: expected names of documents, sorted and each once", DocumentName)
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // a tool that indents the document need not know Go's escapes
	if err := encoder.Encode(d); err != nil {
		return nil, fmt.Errorf("%s: %w", DocumentName, err)
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

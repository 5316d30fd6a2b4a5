package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
}

// decodeDocument reads the document strictly: but for white space it must be
// what [encodeDocument] writes. An unknown member, one that stands twice, is
// missing or spelt with other capitals, all of which encoding/json lets pass,
// could lower an epoch and bring tokens back to life.
func decodeDocument(data []byte) (map[string]entry, error) {
	var decoded document
	if err := json.Unmarshal(data, &decoded); err != nil {
		return nil, fmt.Errorf("%s: expected the JSON that this program writes: %w", DocumentName, err)
	}
	again, err := encodeDocument(decoded.Clients)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return nil, fmt.Errorf("%s: %w", DocumentName, err)
	}
	if decoded.Clients == nil || !bytes.Equal(compact.Bytes(), again) {
		return nil, errors.New(DocumentName + `: expected exactly {"clients":{"<client_id>":{"epoch":<number>,"alive":<boolean>}}}, sorted by client_id`)
	}
	return decoded.Clients, nil
}

// encodeDocument writes the document. What could not be read again it refuses.
func encodeDocument(clients map[string]entry) ([]byte, error) {
	for id, found := range clients {
		if !ValidID(id) || found.Epoch > maxEpoch {
			return nil, fmt.Errorf("%s: client %q: expected a client_id and an epoch up to %d", DocumentName, id, uint64(maxEpoch))
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // a tool that indents the document need not know Go's escapes
	if err := encoder.Encode(document{Clients: clients}); err != nil {
		return nil, fmt.Errorf("%s: %w", DocumentName, err)
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

package caddymodule

import "fmt"

// bridge reads
//
//	bridge basic|api_key <header> {
//		until <date>
//	}
//
// of which only api_key has a header.
func (r *gateReader) bridge(l line) error {
	path := fmt.Sprintf("bridges[%d]", len(r.gate.Bridges))
	bridge := Bridge{Kind: l.words[0].Text}
	r.marks[path], r.marks[path+".kind"] = l.words[0], l.words[0]
	if len(l.words) > 1 {
		bridge.Header = l.words[1].Text
		r.marks[path+".header"] = l.words[1]
	}
	err := readBlock("oauth2_gate: bridge "+bridge.Kind, l.block, []subdirective{
		{grammar: "until <date>", words: exactly(1), read: r.marks.text(path+".until", &bridge.Until)},
	})
	r.gate.Bridges = append(r.gate.Bridges, bridge)
	return err
}

package main

import (
	"fmt"
	"html"
	"os"
	"strings"
)

// Sizes in the plot, in pixels.
const (
	plotWidth  = 860
	plotLabel  = 300 // where bars begin
	plotUnit   = 200 // a ratio of 1
	plotLine   = 24
	plotMargin = 20
)

// plot draws the ratio of each row to its baseline, and its target.
func plot(path string, chosen []group, results map[string][]result) error {
	var body strings.Builder
	y := plotMargin
	text := func(x int, style, words string) {
		fmt.Fprintf(&body, `<text x="%d" y="%d" %s>%s</text>`+"\n", x, y+15, style, html.EscapeString(words))
	}
	for _, group := range chosen {
		text(plotMargin, `font-weight="bold"`, group.title)
		y += plotLine
		for _, row := range group.rows {
			if row.baseline == "" {
				continue
			}
			ratio := summarize(row, results).ratio
			text(plotMargin, "", row.name)
			bar(&body, y, ratio, row.target)
			text(plotLabel+pixels(max(ratio.high, row.target))+8, "", fmt.Sprintf("%.2f x %s", ratio.middle, row.baseline))
			y += plotLine
		}
		y += plotLine / 2
	}
	fmt.Fprintf(&body, `<line x1="%d" y1="%d" x2="%[1]d" y2="%d" stroke="#555" stroke-dasharray="3"/>`+"\n", plotLabel+pixels(1), plotMargin, y)
	text(plotMargin, `fill="#555"`, "CPU of the Caddy process beside its baseline (dashed: 1). Thin line: half of the rounds. Red: the target.")
	y += plotLine + plotMargin
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n"+
		`<rect width="100%%" height="100%%" fill="white"/>`+"\n", plotWidth, y)
	return os.WriteFile(path, []byte(head+body.String()+"</svg>\n"), 0o644) //nolint:gosec // a picture for all
}

// bar is a ratio with its spread and its target.
func bar(body *strings.Builder, y int, ratio spread, target float64) {
	fmt.Fprintf(body, `<rect x="%d" y="%d" width="%d" height="14" fill="#4a90c2"/>`+"\n", plotLabel, y+4, pixels(ratio.middle))
	fmt.Fprintf(body, `<line x1="%d" y1="%d" x2="%d" y2="%[2]d" stroke="black"/>`+"\n", plotLabel+pixels(ratio.low), y+11, plotLabel+pixels(ratio.high))
	if target > 0 {
		fmt.Fprintf(body, `<line x1="%d" y1="%d" x2="%[1]d" y2="%d" stroke="#c0392b" stroke-width="2"/>`+"\n", plotLabel+pixels(target), y+2, y+20)
	}
}

// pixels is how far a ratio reaches; what is more than the picture holds is cut.
func pixels(ratio float64) int { return int(min(ratio, 2.5) * plotUnit * 0.85) }

package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

const (
	chartWidth = 760
	labelWidth = 230 // for the name of a contestant, left of its bar
	valueWidth = 190 // for its value, right of its bar
	rowHeight  = 20
)

// chart returns an SVG with a panel of bars for each column that belongs into the chart of this name.
func (r *report) chart(name, title string) []byte {
	var body bytes.Buffer
	y := 30
	words(&body, 10, y, "title", title)
	for _, f := range r.Figures {
		for i, c := range f.Columns {
			if c.Chart != name {
				continue
			}
			y += 36
			words(&body, 10, y, "panel", fmt.Sprintf("%s, %s", c.Line, c.Unit))
			y = f.panel(&body, i, y+8)
		}
	}
	var svg bytes.Buffer
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d">`+"\n", chartWidth, y+20)
	svg.WriteString(`<style>text{font:13px sans-serif;fill:#222}.title{font-size:17px;font-weight:bold}` +
		`.panel{font-weight:bold}.bar{fill:#9aa5b1}.ours{fill:#2563eb}.earlier{fill:#93b4f5}</style>` + "\n" +
		`<rect width="100%" height="100%" fill="#fff"/>` + "\n")
	svg.Write(body.Bytes())
	svg.WriteString("</svg>\n")
	return svg.Bytes()
}

// panel draws one column of f below y, and returns where it ends. A contestant without a value has its
// text and no bar.
func (f *figure) panel(to *bytes.Buffer, column, y int) int {
	longest := 0.0
	for _, r := range f.Rows {
		longest = max(longest, r.Cells[column].Value)
	}
	for _, r := range f.Rows {
		text := f.show(r.Who, column, true)
		if text == "-" {
			continue
		}
		words(to, 10, y+15, "who", r.Who)
		width := 0.0
		if longest > 0 {
			width = max(0, r.Cells[column].Value/longest*(chartWidth-labelWidth-valueWidth))
		}
		class := map[string]string{cginit: "ours", before: "earlier"}[r.Who]
		fmt.Fprintf(to, `<rect class="bar %s" x="%d" y="%d" width="%.1f" height="%d"/>`+"\n", class, labelWidth, y+3, width, rowHeight-5)
		words(to, labelWidth+int(width)+6, y+15, "value", text)
		y += rowHeight
	}
	return y
}

// words draws a text.
func words(to *bytes.Buffer, x, y int, class, text string) {
	fmt.Fprintf(to, `<text class="%s" x="%d" y="%d">`, class, x, y)
	_ = xml.EscapeText(to, []byte(text))
	to.WriteString("</text>\n")
}

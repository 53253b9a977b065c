package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// width is the column at which a list of names is wrapped.
const width = 100

// write prints the report as a table and lists, or as one JSON object.
func (r *Report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	if err := r.table(w); err != nil {
		return err
	}
	for _, row := range r.Measured {
		if len(row.Names) > 0 {
			if _, err := fmt.Fprintf(w, "\n%s:\n%s", row.Name, wrap(row.Names)); err != nil {
				return err
			}
		}
	}
	return nil
}

// table prints one aligned line for each value.
func (r *Report) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHAT\tMEASURED\tLIMIT\t")
	for _, row := range r.Measured {
		limit := "-"
		if row.Limit != nil {
			limit = strconv.Itoa(*row.Limit)
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", row.Name, row.Value, limit, row.verdict())
	}
	return t.Flush()
}

// verdict returns "ok" or "TOO MUCH", and what is missing. It returns nothing for a figure without
// a limit.
func (m Measured) verdict() string {
	switch {
	case m.Missing != "":
		return "TOO MUCH: " + m.Missing
	case m.Limit == nil:
		return ""
	case m.OK:
		return "ok"
	}
	return "TOO MUCH"
}

// wrap returns the names as indented lines of at most width columns.
func wrap(names []string) string {
	var text strings.Builder
	column := 0
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		switch {
		case i == 0:
			text.WriteString("  ")
			column = 2
		case column+1+len(name) > width:
			text.WriteString("\n  ")
			column = 2
		default:
			text.WriteString(" ")
			column++
		}
		text.WriteString(name)
		column += len(name)
	}
	return text.String() + "\n"
}

package main

import (
	"fmt"
	"slices"
	"strings"
)

// markdown returns the whole report: a summary with the goals, then a table for each figure.
func (r *report) markdown() string {
	var text strings.Builder
	when := ""
	if n := len(r.Figures); n > 0 {
		when = r.Figures[n-1].When.Format("2006-01-02")
	}
	fmt.Fprintf(&text, "## What was measured\n\n%s. %s.\n\n", when, strings.Join(r.Machine, ". "))
	r.summary(&text)
	for _, f := range r.Figures {
		text.WriteString("\n")
		f.table(&text)
	}
	return text.String()
}

// table writes a figure: a row for each contestant, with the ratio to the reference of each column.
func (f *figure) table(text *strings.Builder) {
	fmt.Fprintf(text, "### %s\n\n%s Runs of each: %s.\n\n| by |", f.Title, f.Note, f.runs())
	for _, c := range f.Columns {
		fmt.Fprintf(text, " %s, %s |", c.Name, c.Unit)
	}
	text.WriteString("\n| --- |" + strings.Repeat(" --- |", len(f.Columns)) + "\n")
	for _, r := range f.Rows {
		fmt.Fprintf(text, "| %s |", r.Who)
		for i := range f.Columns {
			fmt.Fprintf(text, " %s |", f.show(r.Who, i, true))
		}
		text.WriteString("\n")
	}
}

// runs tells how many runs the columns are of. Columns of as many runs as the one before are not told.
func (f *figure) runs() string {
	var counts []string
	for i := range f.Columns {
		most := 0
		for _, r := range f.Rows {
			most = max(most, r.Cells[i].Runs)
		}
		counts = append(counts, thousands(most))
	}
	return strings.Join(slices.Compact(counts), "; ")
}

// show returns a cell as text: its value, the worst run, and with ratio how many times the reference it is.
func (f *figure) show(who string, column int, ratio bool) string {
	c := f.Columns[column]
	mine, ok := f.value(who, column)
	if !ok {
		if r := f.row(who); r != nil && r.Cells[column].Text != "" {
			return r.Cells[column].Text
		}
		return "-"
	}
	text := fmt.Sprintf("%.*f", c.Digits, mine.Value)
	if c.Worst {
		text += fmt.Sprintf(", worst %.*f", c.Digits, mine.Most)
	}
	if reference, ok := f.value(c.Reference, column); ratio && ok && who != c.Reference && reference.Value > 0 {
		text += fmt.Sprintf(" (%.2fx)", mine.Value/reference.Value)
	}
	if mine.Text != "" {
		text += ", " + mine.Text
	}
	return text
}

// headed are the contestants that have a column of their own in the summary.
var headed = []string{tini, floor, before, cginit}

// summary writes one table of all that has a line in it, with what was aimed at.
func (r *report) summary(text *strings.Builder) {
	fmt.Fprintf(text, "| figure | %s | others | aim | reached |\n", strings.Join(headed, " | "))
	text.WriteString("| --- |" + strings.Repeat(" --- |", len(headed)+3) + "\n")
	for _, f := range r.Figures {
		for i, c := range f.Columns {
			if c.Line == "" {
				continue
			}
			fmt.Fprintf(text, "| %s, %s |", c.Line, c.Unit)
			for _, who := range headed {
				fmt.Fprintf(text, " %s |", strings.TrimPrefix(f.show(who, i, false), "-"))
			}
			aim, reached := f.aims(i)
			fmt.Fprintf(text, " %s | %s | %s |\n", f.others(i), aim, reached)
		}
	}
}

// others returns the values of the contestants that have no column of their own.
func (f *figure) others(column int) string {
	var all []string
	for _, r := range f.Rows {
		if text := f.show(r.Who, column, false); !slices.Contains(headed, r.Who) && text != "-" {
			all = append(all, r.Who+" "+text)
		}
	}
	return strings.Join(all, "; ")
}

// aims returns the goals of a column and whether cginit has reached them, as text.
func (f *figure) aims(column int) (aim, reached string) {
	var aims, verdicts []string
	mine, measured := f.value(cginit, column)
	for _, g := range f.Columns[column].Goals {
		aims = append(aims, g.text())
		limit, ok := f.limit(g, column)
		value := mine.Value
		if g.Worst {
			value = mine.Most
		}
		met := value <= limit
		if g.Least {
			met = value >= limit
		}
		switch {
		case !measured && f.row(cginit) != nil && f.row(cginit).Cells[column].Text != "":
			verdicts = append(verdicts, "**no**")
		case !measured || !ok:
			verdicts = append(verdicts, "not measured")
		case met:
			verdicts = append(verdicts, "yes"+f.share(g, value, limit))
		default:
			verdicts = append(verdicts, "**no**"+f.share(g, value, limit))
		}
	}
	return strings.Join(aims, ", "), strings.Join(verdicts, ", ")
}

// share tells how many times the reference the value is, if that is what the goal is about.
func (f *figure) share(g goal, value, limit float64) string {
	if g.Than == "" || limit <= g.Plus {
		return ""
	}
	return fmt.Sprintf(" (%.2f)", (value-g.Plus)/((limit-g.Plus)/g.Times))
}

// limit returns the value that a goal asks for.
func (f *figure) limit(g goal, column int) (float64, bool) {
	if g.Than == "" {
		return g.Plus, true
	}
	c, ok := f.value(g.Than, column)
	return g.Plus + g.Times*c.Value, ok
}

func (g goal) text() string {
	bound := "<="
	if g.Least {
		bound = ">="
	}
	if g.Worst {
		bound = "worst " + bound
	}
	switch {
	case g.Than == "":
		return fmt.Sprintf("%s %v", bound, g.Plus)
	case g.Plus != 0:
		return fmt.Sprintf("%s %v + %v x %s", bound, g.Plus, g.Times, g.Than)
	}
	return fmt.Sprintf("%s %v x %s", bound, g.Times, g.Than)
}

// digits returns a number with so many digits after the point.
func digits(v float64, n int) string { return fmt.Sprintf("%.*f", n, v) }

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/cginit/cginit/init/control"
)

// table prints rows in columns. The first row is the heading.
func table(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	_ = t.Flush() // what cannot be written to the terminal cannot be said there either
}

// printable shows what a process chose to be called without letting it at the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

func command(args []string) string { return printable(strings.Join(args, " ")) }

func stateOf(j control.Job) string {
	s := string(j.State)
	if j.Frozen {
		s += ", frozen"
	}
	if j.State == control.Ended && j.ExitStatus != nil {
		s += fmt.Sprintf(" (%d)", *j.ExitStatus)
	}
	return s
}

func orDash[T comparable](v T) string {
	var zero T
	if v == zero {
		return "-"
	}
	return fmt.Sprint(v)
}

// ago is the time since, in its largest unit or two.
func ago(t *time.Time) string {
	if t == nil {
		return "-"
	}
	d := max(0, time.Since(*t))
	switch {
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		return d.Round(time.Minute).String()[:len(d.Round(time.Minute).String())-2]
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// receipts prints what became of what was ended, a line for each.
func receipts(w io.Writer, all []control.Receipt) {
	for _, r := range all {
		fmt.Fprintln(w, receiptLine(r))
		for _, p := range r.Processes {
			fmt.Fprintf(w, "  %s %d %q %s\n", p.Outcome, p.Pid, printable(p.Command), strings.Join(p.Reasons, ", "))
		}
	}
}

func receiptLine(r control.Receipt) string {
	s := fmt.Sprintf("%s: %s after %s, status %d", r.Job, r.Cause, r.Ended.Sub(r.Started).Round(time.Millisecond), r.ExitStatus)
	if r.Error != "" {
		s += ", " + r.Error
	}
	if r.Asked+r.Killed > 0 {
		s += fmt.Sprintf("; %d asked to leave, %d did, %d killed", r.Asked, r.Left, r.Killed)
	}
	if r.Unkillable > 0 {
		return s + fmt.Sprintf("; %d cannot be killed and live on", r.Unkillable)
	}
	return s + "; nothing is left"
}

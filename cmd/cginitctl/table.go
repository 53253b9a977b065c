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
	_ = t.Flush() // an error of the terminal could not be printed there either
}

// printable replaces characters that could control the terminal. A process can choose its own name.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// command returns a command for a table.
func command(args []string) string { return printable(strings.Join(args, " ")) }

// short returns the beginning of a text, which "cginitctl status" shows whole.
func short(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// stateOf returns the state of a job for a table, with its exit status if it has ended.
func stateOf(j control.Job) string {
	s := string(j.State)
	if j.Frozen {
		s += ", frozen"
	}
	if j.Reloading {
		s += ", reloading"
	}
	if j.State == control.Ended && j.ExitStatus != nil {
		s += fmt.Sprintf(" (%d)", *j.ExitStatus)
	}
	return s
}

// orDash returns a value for a table; a dash if it is zero.
func orDash[T comparable](v T) string {
	var zero T
	if v == zero {
		return "-"
	}
	return fmt.Sprint(v)
}

// ago returns the time since t in its one or two largest units; a dash if t is nil.
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

// receipts prints a line for each receipt, and one for each process in it.
func receipts(w io.Writer, all []control.Receipt) {
	for _, r := range all {
		fmt.Fprintln(w, receiptLine(r))
		for _, p := range r.Processes {
			fmt.Fprintf(w, "  %s %d %q %s\n", p.Outcome, p.Pid, printable(p.Command), strings.Join(p.Reasons, ", "))
		}
	}
}

// receiptLine returns the line for one receipt.
func receiptLine(r control.Receipt) string {
	took := r.Ended.Sub(r.Started).Round(time.Millisecond)
	s := fmt.Sprintf("%s: %s after %s, status %d", r.Job, r.Cause, took, r.ExitStatus)
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

package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/cginit/cginit/init/host"
)

// printFindings prints the findings as tables for people.
func printFindings(to io.Writer, f *host.Findings) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	printContainer(w, f)
	fmt.Fprintln(w, "\nkernel")
	for _, k := range f.Kernel {
		row(w, k.Name, join(k.Works, k.Why), k.For)
	}
	fmt.Fprintln(w, "\nhow jobs are held here")
	for _, h := range append(f.Levels, f.Jobs...) {
		row(w, h.What, string(h.Level))
	}
	fmt.Fprintln(w, "\nwhat the levels promise, the best first")
	for _, p := range f.Guarantees {
		row(w, string(p.Level), p.Guarantee)
	}
	printWays(w, f)
	var advice []string
	if len(f.SameUser) > 0 {
		advice = append(advice, strings.Join(f.SameUser, ", ")+
			": what has cginit's own user can trace it and set its limits; another one (user:, --user) keeps it from that")
	}
	if f.Seal != "" {
		advice = append(advice, f.Seal)
	}
	printLines(w, "advice", advice)
	printLines(w, "wrong", f.Problems)
	return w.Flush()
}

// printLines prints texts of one or more lines below a heading, if there are any.
func printLines(w io.Writer, heading string, texts []string) {
	if len(texts) > 0 {
		fmt.Fprintln(w, "\n"+heading)
	}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			fmt.Fprintln(w, "  "+strings.TrimSuffix(line, "\n"))
		}
	}
}

// printContainer prints what the container gives cginit.
func printContainer(w io.Writer, f *host.Findings) {
	c := &f.Container
	fmt.Fprintln(w, "here")
	row(w, "platform", f.Platform)
	if c.Emulator != "" {
		row(w, "emulated by", c.Emulator)
	}
	row(w, "process 1", yesOr(c.Pid == 1, fmt.Sprintf("no, process %d", c.Pid)))
	row(w, "user", fmt.Sprintf("uid %d, gid %d%s", c.UID, c.GID, textIf(c.UserNamespace, ", in a user namespace")))
	capabilities := cmp.Or(strings.Join(c.Capabilities, " "), "none")
	row(w, "capabilities", strings.ToLower(strings.ReplaceAll(capabilities, "CAP_", "")))
	row(w, "no new privileges", yesOr(c.NoNewPrivs, "no"))
	row(w, "seccomp", c.Seccomp)
	row(w, "cgroups", f.Cgroup.Version+textIf(f.Cgroup.Mount != "", ", v2 at "+f.Cgroup.Mount))
	row(w, "a cgroup for jobs", join(f.Cgroup.Access, f.Cgroup.Why))
	row(w, "controllers", cmp.Or(strings.Join(f.Cgroup.Controllers, " "), "none"))
	row(w, "/proc", c.Proc)
	row(w, "root file system", map[bool]string{true: "read-only", false: "writable"}[c.ReadOnlyRoot])
	row(w, "/dev/termination-log", c.TerminationLog)
	row(w, "control socket", cmp.Or(c.Socket.Problem, c.Socket.Path, "none"))
}

// printWays prints what to add to get the best level, for this platform first.
func printWays(w io.Writer, f *host.Findings) {
	if len(f.Ways) == 0 {
		return
	}
	fmt.Fprintf(w, "\nto get level %s\n", f.Best)
	if f.Missing != "" {
		row(w, "first", f.Missing)
	}
	for _, way := range f.Ways {
		row(w, way.Platform, way.Add, way.Where)
	}
}

// row writes a line of a table, indented.
func row(w io.Writer, cells ...string) { fmt.Fprintln(w, "  "+strings.Join(cells, "\t")) }

// yesOr returns "yes", or the given text if yes is false.
func yesOr(yes bool, no string) string {
	if yes {
		return "yes"
	}
	return no
}

// textIf returns text, or nothing if show is false.
func textIf(show bool, text string) string {
	if show {
		return text
	}
	return ""
}

// join returns "what: why", or what alone if there is no reason.
func join(what, why string) string { return what + textIf(why != "", ": "+why) }

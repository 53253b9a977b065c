// Package programs tells what is known of programs that people run in containers: which signal stops them gracefully,
// how long that takes, how they end then, what reloads them, and what goes wrong with the usual commands.
package programs

import (
	"cmp"
	_ "embed"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// table has a line for each program, and explains itself.
//
//go:embed table.txt
var table string

// Program is what the table has behind the colon of a row.
type Program struct{ fields string }

// Field returns the value of a field of the row; empty if there is none. The table says what they mean.
func (p *Program) Field(name string) string {
	for f := range strings.SplitSeq(p.fields, "; ") {
		if value, is := strings.CutPrefix(f, name+" "); is {
			return value
		}
	}
	return ""
}

// signal returns the signal of a field, or otherwise.
func (p *Program) signal(field string, otherwise syscall.Signal) syscall.Signal {
	return cmp.Or(unix.SignalNum("SIG"+p.Field(field)), otherwise)
}

// duration returns the time of a field; 0 if there is none.
func (p *Program) duration(field string) time.Duration {
	d, _ := time.ParseDuration(p.Field(field)) // the tests read all of them
	return d
}

// Ending is an end of a process: by itself with a status, or by a signal.
type Ending struct {
	Status int
	Signal syscall.Signal // 0: by itself
}

// Is tells whether a process has ended so.
func (e Ending) Is(ws syscall.WaitStatus) bool {
	if e.Signal != 0 {
		return ws.Signaled() && ws.Signal() == e.Signal
	}
	return ws.Exited() && ws.ExitStatus() == e.Status
}

// Find returns what is known of the program that a command runs in the end, and the name of that program; nil if
// nothing is known. It looks through what only prepares: the entrypoint of an image, env, gosu, a shell that executes.
func Find(args []string) (*Program, string) {
	args = inner(args)
	if len(args) == 0 {
		return nil, ""
	}
	name := path.Base(args[0])
	for line := range strings.SplitSeq(table, "\n") {
		head, fields, isRow := strings.Cut(line, ": ")
		if isRow && line[0] != '#' && matches(strings.Fields(head), name, args[1:]) {
			return &Program{fields}, name
		}
	}
	return nil, ""
}

// matches tells whether a command is the program of a row with this head.
func matches(head []string, name string, args []string) bool {
	isNamed, needs, has := false, false, false
	for _, word := range head {
		switch {
		case word[0] == '+':
			needs, has = true, has || isAmong(args, word[1:])
		case word[len(word)-1] == '*':
			isNamed = isNamed || strings.HasPrefix(name, word[:len(word)-1])
		default:
			isNamed = isNamed || name == word
		}
	}
	return isNamed && (has || !needs)
}

// isAmong tells whether an argument is among args: as it is, with a value behind "=", or, if it is a dash and one
// letter, among others behind one dash.
func isAmong(args []string, want string) bool {
	isLetter := len(want) == 2 && want[0] == '-'
	for _, arg := range args {
		if arg == want || strings.HasPrefix(arg, want+"=") ||
			isLetter && isLetters(arg) && strings.IndexByte(arg, want[1]) > 0 {
			return true
		}
	}
	return false
}

// Signal returns the signal that stops the program gracefully. The program may be nil.
func (p *Program) Signal() syscall.Signal {
	if p == nil {
		return syscall.SIGTERM
	}
	return p.signal("stop", syscall.SIGTERM)
}

// Why says why [Program.Signal] is the one for a program of this name. The program may be nil.
func (p *Program) Why(name string) string {
	switch {
	case p == nil:
		return "auto: nothing is known of this program"
	case p.Field("good") == "":
		return "auto: " + name + " stops gracefully by it"
	}
	return "auto: for " + name + " it " + p.Field("good")
}

// Endings returns the ends that mean that the program has stopped gracefully, besides status 0. It may be nil.
func (p *Program) Endings() (ends []Ending) {
	if p == nil {
		return nil
	}
	for word := range strings.FieldsSeq(p.Field("ends")) {
		status, err := strconv.Atoi(word)
		if err != nil {
			ends = append(ends, Ending{Signal: unix.SignalNum("SIG" + word)})
			continue
		}
		ends = append(ends, Ending{Status: status})
	}
	return ends
}

// Use is how a job uses a program.
type Use struct {
	Args  []string
	Stop  syscall.Signal
	Grace time.Duration
	// Notify says that the job counts as ready when it says so (sd_notify(3)).
	Notify bool
}

// Advice returns what is likely to go wrong with a job, and what to do; nothing if it is right as far as is known.
func Advice(u Use) (advice []string) {
	p, name := Find(u.Args)
	if p == nil {
		return nil
	}
	if why := p.Slow(u.Stop, u.Grace); why != "" {
		advice = append(advice, name+" "+why)
	}
	isForeground := p.Field("foreground") == ""
	for arg := range strings.FieldsSeq(p.Field("foreground")) {
		isForeground = isForeground || isAmong(inner(u.Args)[1:], arg)
	}
	if !isForeground {
		advice = append(advice, name+" goes to the background; add "+strings.Fields(p.Field("foreground"))[0])
	}
	if u.Notify && p.Field("ready") == "never" {
		advice = append(advice, name+" never tells that it is ready, so the start waits in vain; use ready: with a port or a file, or a health check")
	}
	return advice
}

// Slow says why the program may not have ended when its time after the signal stop is over, and what to do about
// it; empty if nothing is known that keeps it. The program may be nil.
func (p *Program) Slow(stop syscall.Signal, grace time.Duration) string {
	if p == nil {
		return ""
	}
	signal := unix.SignalName(stop)
	waits, takes := p.duration("for"), p.duration("takes")
	switch term := p.Field("term"); {
	case p.Field("wrapper") != "":
		return p.Field("wrapper") + "; " + p.Field("instead")
	case stop == syscall.SIGTERM && term != "" && (waits == 0 || grace < waits):
		why := term + " after SIGTERM"
		if waits > 0 {
			why += ", about " + waits.String() + ", and has " + grace.String() + " (stop_grace_period)"
		}
		return why + "; " + cmp.Or(p.Field("fix"), "stop_signal: SIG"+p.Field("stop")+" "+p.Field("good"))
	case signal != "" && strings.Contains(" "+p.Field("lives")+" ", " "+strings.TrimPrefix(signal, "SIG")+" "):
		return "does not end after " + signal + "; stop_signal: auto knows what does"
	case stop == p.Signal() && grace < takes:
		return "takes about " + takes.String() + " after " + signal + ", and has " + grace.String() + " (stop_grace_period)"
	}
	return ""
}

// Auto stands for the signal that the table knows.
const Auto = syscall.Signal(-1)

// Reload returns the signal that makes the program read its configuration again: for Auto that of the table, or else
// the one that is asked for. If that cannot be, why says so. The program may be nil.
func (p *Program) Reload(name string, asked syscall.Signal) (sig syscall.Signal, why string) {
	switch {
	case p == nil && asked == Auto:
		return 0, "reload_signal is auto, and nothing is known of this program"
	case p == nil || asked == 0:
		return asked, ""
	case asked == syscall.SIGHUP && strings.HasPrefix(p.Field("noreload"), "SIGHUP ends"):
		return 0, "SIGHUP does not reload " + name + ": " + p.Field("noreload")
	case asked != Auto:
		return asked, ""
	}
	if sig = p.signal("reload", 0); sig == 0 {
		why = "no signal reloads " + name + ": " + cmp.Or(p.Field("noreload"), "none is known")
	}
	return sig, why
}

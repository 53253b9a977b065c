package config

// flagScope says whether a flag goes with a command, with a file, or with both.
type flagScope int

const (
	// commandOnly flags describe the one command; with a file they are refused, since each job of
	// the file says the same by a key.
	commandOnly flagScope = iota
	// fileOnly flags name the files, or choose among what is in them.
	fileOnly
	// anyScope flags are about cginit itself, or about the one grace period of all.
	anyScope
)

// flagScopes has every flag once, in the order of the help.
var flagScopes = []struct {
	name  string
	scope flagScope
}{
	{"stop-signal", commandOnly},
	{"stop-grace-period", anyScope},
	{"kill-mode", commandOnly},
	{"leftovers", commandOnly},
	{"timeout", commandOnly},
	{"rewrite", commandOnly},
	{"memory", commandOnly},
	{"cpus", commandOnly},
	{"pids-limit", commandOnly},
	{"user", commandOnly},
	{"seal", commandOnly},
	{"config", fileOnly},
	{"profile", fileOnly},
	{"check", anyScope},
	{"json", anyScope},
	{"detach", anyScope},
	{"socket", anyScope},
	{"require", anyScope},
	{"best-effort-limits", anyScope},
	{"report", anyScope},
	{"log-format", anyScope},
	{"verbose", anyScope},
	{"version", anyScope},
	{"help", anyScope},
}

package config

import (
	"slices"
	"strings"
)

// outputKeys say where its output goes.
func outputKeys() []*field {
	logging := inside("logging", "where what it writes goes", refusedInLogging,
		keyTo("driver", "inherit (cginit's own output, the default), prefix (its name before each line), json (an object a line), none",
			logDriver(), func(_ *problems, _ *node, d *draft, l LogDriver) { d.Log = l }))
	logging.apart = "driver"
	return []*field{
		logging,
		key("tty", "a terminal of its own", boolean(), func(d *draft) *bool { return &d.TTY }),
		key("stdin_open", "it reads cginit's standard input", boolean(), func(d *draft) *bool { return &d.StdinOpen }),
	}
}

// logDriver is one of ours. The engine's are refused, and not taken for one that sounds alike:
// they say where a container's output is kept, which goes there anyway.
func logDriver() value[LogDriver] {
	ours := []string{"inherit", string(LogPrefix), string(LogJSON), string(LogNone)}
	engines := []string{"json-file", "local", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "etwlogs", "gcplogs", "k8s-file", "passthrough"}
	driver := word(ours...)
	return value[LogDriver]{driver.shape, func(p *problems, n *node) (LogDriver, bool) {
		if slices.Contains(engines, n.text) {
			p.wrong(n, "%q %sgive it where the container is started; here a driver is one of %s", n.text, ofContainer, strings.Join(ours, ", "))
			return "", false
		}
		name, ok := driver.read(p, n)
		if name == "inherit" {
			name = string(LogInherit)
		}
		return LogDriver(name), ok
	}}
}

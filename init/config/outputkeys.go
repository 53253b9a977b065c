package config

import (
	"slices"
	"strings"
)

// outputKeys are the keys about input and output.
func outputKeys() []*field {
	logging := inside("logging", "where its output goes", refusedInLogging,
		keyTo("driver",
			"inherit: to the output of cginit (the default); prefix: the same, with its name before each line; "+
				"json: each line in a JSON object; none: nowhere",
			logDriver(), func(_ *problems, _ *node, d *draft, l LogDriver) { d.Log = l }))
	logging.apart = "driver"
	return []*field{
		logging,
		key("tty", "true: it gets a terminal of its own", boolean(), func(d *draft) *bool { return &d.TTY }),
		key("stdin_open", "true: it gets the standard input of cginit, and not /dev/null", boolean(),
			func(d *draft) *bool { return &d.StdinOpen }),
	}
}

// logDriver reads a log driver. Those of container engines are refused, and not mistaken for a similar
// one of cginit: they say where the output of a container is kept, and jobs write there anyway.
func logDriver() value[LogDriver] {
	ours := []string{"inherit", string(LogPrefix), string(LogJSON), string(LogNone)}
	engines := []string{
		"json-file", "local", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "etwlogs", "gcplogs",
		"k8s-file", "passthrough",
	}
	driver := word(ours...)
	return value[LogDriver]{driver.shape, func(p *problems, n *node) (LogDriver, bool) {
		if slices.Contains(engines, n.text) {
			p.wrong(n, "%q %sset it where the container is started; a driver here is one of %s", n.text,
				belongsToContainer, strings.Join(ours, ", "))
			return "", false
		}
		name, ok := driver.read(p, n)
		if name == "inherit" {
			name = string(LogInherit)
		}
		return LogDriver(name), ok
	}}
}

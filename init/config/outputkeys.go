package config

import (
	"math"
	"slices"
	"strings"
)

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

// labels are variables of another use; one without a value is empty.
func labels() value[map[string]string] {
	vars := variables()
	return value[map[string]string]{vars.shape, func(p *problems, n *node) (map[string]string, bool) {
		read, ok := vars.read(p, n)
		labels := make(map[string]string, len(read))
		for _, v := range read {
			labels[v.name] = ""
			if v.value != nil {
				labels[v.name] = *v.value
			}
		}
		return labels, ok
	}}
}

func socket() value[string] {
	p := path()
	return value[string]{p.shape, func(at *problems, n *node) (string, bool) {
		if n.kind == scalar && n.text == "none" {
			return n.text, true
		}
		return p.read(at, n)
	}}
}

func ids() value[[]uint32] {
	return listOf(value[uint32]{&shape{schema: schemaNumber}, func(p *problems, n *node) (uint32, bool) {
		v, ok := integer(0, math.MaxUint32-1).read(p, n)
		return uint32(v), ok
	}})
}

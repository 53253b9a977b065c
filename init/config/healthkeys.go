package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// healthCheck is a health check as it is written. off disables it.
type healthCheck struct {
	Health
	off bool
}

// healthKeys are the keys about the health of a running job.
func healthKeys() []*field {
	health := object(healthCheck{Health: Health{
		Interval: 30 * time.Second, Timeout: 30 * time.Second, Retries: 3, StartInterval: 5 * time.Second,
	}}, nil, healthCheckKeys()...)
	return []*field{
		keyTo("healthcheck", "a check that is repeated while it runs", health,
			func(p *problems, n *node, d *draft, c healthCheck) {
				switch {
				case c.off:
				case n.get("test") == nil:
					p.wrongAll(n, `the key "test" is missing`)
				default:
					d.Health = &c.Health
				}
			}),
		key("on_unhealthy",
			"what happens when it becomes unhealthy; none: it is only shown; restart: its run is stopped, and the "+
				"restart policy decides",
			word(UnhealthyNone, UnhealthyRestart), func(d *draft) *OnUnhealthy { return &d.OnUnhealthy }),
	}
}

// healthCheckKeys are the keys inside of healthcheck.
func healthCheckKeys() []*field {
	return []*field{
		keyTo("test",
			`a text for the shell, or a list: ["CMD", ...], ["CMD-SHELL", text], ["HTTP", URL], ["TCP", HOST:PORT] `+
				`or ["NONE"]`,
			healthTest(), func(p *problems, n *node, c *healthCheck, words []string) {
				if err := c.setTest(words); err != nil {
					p.wrong(n, "%v", err)
				}
			}),
		key("interval", "the time between two checks (default 30s)", duration(time.Millisecond),
			func(c *healthCheck) *time.Duration { return &c.Interval }),
		key("timeout", "the longest that one check may take (default 30s)", duration(time.Millisecond),
			func(c *healthCheck) *time.Duration { return &c.Timeout }),
		key("retries", "how many failures in a row make it unhealthy (default 3)", count(1, 1<<31-1),
			func(c *healthCheck) *int { return &c.Retries }),
		key("start_period", "how long after the start failures do not count (default 0s)", duration(0),
			func(c *healthCheck) *time.Duration { return &c.StartPeriod }),
		key("start_interval", "the time between two checks in the start period (default 5s)",
			duration(time.Millisecond),
			func(c *healthCheck) *time.Duration { return &c.StartInterval }),
		key("disable", "true: the check is off", boolean(), func(c *healthCheck) *bool { return &c.off }),
	}
}

// healthTest reads a list, or a text for the shell, which it turns into the list.
func healthTest() value[[]string] {
	words := listOf(text())
	return value[[]string]{
		&shape{schema: schemaText, also: []*shape{words.shape}, whole: true},
		func(p *problems, n *node) ([]string, bool) {
			if n.kind == listKind {
				return words.read(p, n)
			}
			line, ok := text().read(p, n)
			return []string{"CMD-SHELL", line}, ok
		},
	}
}

// setTest sets the command, URL or address that a test names.
func (c *healthCheck) setTest(words []string) error {
	kind, rest := "", []string(nil)
	if len(words) > 0 {
		kind, rest = words[0], words[1:]
	}
	one := len(rest) == 1 && rest[0] != ""
	switch {
	case kind == "NONE" && len(rest) == 0:
		c.off = true
	case kind == "CMD" && len(rest) > 0 && rest[0] != "":
		c.Args = rest
	case kind == "CMD-SHELL" && one:
		c.Args = []string{"/bin/sh", "-c", rest[0]}
	case kind == "HTTP" && one:
		c.HTTP = rest[0]
		return checkURL(rest[0])
	case kind == "TCP" && one:
		c.TCP = rest[0]
		return checkAddress(rest[0])
	case kind == "CMD" || kind == "CMD-SHELL" || kind == "HTTP" || kind == "TCP" || kind == "NONE":
		return fmt.Errorf(`a test that begins with %s must go on with %s`, kind, map[string]string{
			"CMD": "a command and its arguments", "CMD-SHELL": "one text for the shell", "HTTP": "one URL",
			"TCP": "one HOST:PORT", "NONE": "nothing else",
		}[kind])
	default:
		return fmt.Errorf("a test must begin with one of CMD, CMD-SHELL, HTTP, TCP, NONE, not with %q", kind)
	}
	return nil
}

// checkURL returns an error if the health check cannot get url.
func checkURL(url string) error {
	rest, ok := strings.CutPrefix(url, "http://")
	if !ok {
		if strings.HasPrefix(url, "https://") {
			return fmt.Errorf(`%q: cginit has no TLS; use ["CMD", "curl", "-fsS", URL] or the like`, url)
		}
		return fmt.Errorf("%q is not a URL; try http://localhost:8080/health", url)
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	bare := strings.TrimSuffix(host, "]") // an IPv6 address without a port ends with a bracket
	if strings.ContainsAny(url, " \t\r\n#") || strings.Contains(host, "@") {
		return fmt.Errorf("%q has a blank, a fragment or a user name, which a health check cannot use; try "+
			"http://localhost:8080/health", url)
	}
	if bare == host && strings.Contains(host, ":") {
		return checkAddress(host)
	}
	if strings.Trim(host, "[]") == "" {
		return fmt.Errorf("%q has no host; try http://localhost:8080/health", url)
	}
	return nil
}

// checkAddress returns an error if address is not HOST:PORT.
func checkAddress(address string) error {
	i := strings.LastIndexByte(address, ':')
	host := address[:max(i, 0)]
	port, err := strconv.ParseUint(address[i+1:], 10, 16)
	bracketed := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if i < 1 || err != nil || port == 0 || strings.ContainsAny(host,
		" \t\r\n/") || !bracketed && strings.ContainsAny(host, ":[]") {
		return fmt.Errorf("%q is not HOST:PORT; try localhost:5432", address)
	}
	return nil
}

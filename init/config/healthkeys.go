package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// healthCheck is a health check as it is written.
type healthCheck struct {
	Health
	off bool
}

// healthKeys say whether it is well.
func healthKeys() []*field {
	health := object(healthCheck{Health: Health{
		Interval: 30 * time.Second, Timeout: 30 * time.Second, Retries: 3, StartInterval: 5 * time.Second,
	}}, nil, healthCheckKeys()...)
	return []*field{
		keyTo("healthcheck", "how to find out, again and again, whether it is well", health,
			func(p *problems, n *node, d *draft, c healthCheck) {
				switch {
				case c.off:
				case n.get("test") == nil:
					p.wrongAll(n, `the key "test" is missing`)
				default:
					d.Health = &c.Health
				}
			}),
		key("on_unhealthy", "none: it is only shown; restart: its run is stopped, and its restart policy decides",
			word(UnhealthyNone, UnhealthyRestart), func(d *draft) *OnUnhealthy { return &d.OnUnhealthy }),
	}
}

func healthCheckKeys() []*field {
	return []*field{
		keyTo("test", `a text for the shell, or a list: ["CMD", ...], ["CMD-SHELL", text], ["HTTP", URL], ["TCP", HOST:PORT], ["NONE"]`,
			healthTest(), func(p *problems, n *node, c *healthCheck, words []string) {
				if err := c.setTest(words); err != nil {
					p.wrong(n, "%v", err)
				}
			}),
		key("interval", "between two checks (30s)", duration(time.Millisecond), func(c *healthCheck) *time.Duration { return &c.Interval }),
		key("timeout", "how long one may take (30s)", duration(time.Millisecond), func(c *healthCheck) *time.Duration { return &c.Timeout }),
		key("retries", "failures in a row that make it unhealthy (3)", count(1, 1<<31-1), func(c *healthCheck) *int { return &c.Retries }),
		key("start_period", "failures do not count so long after the start (0s)", duration(0),
			func(c *healthCheck) *time.Duration { return &c.StartPeriod }),
		key("start_interval", "between two checks in the start period (5s)", duration(time.Millisecond),
			func(c *healthCheck) *time.Duration { return &c.StartInterval }),
		key("disable", "true: there is no check", boolean(), func(c *healthCheck) *bool { return &c.off }),
	}
}

// healthTest is a list, or a text for the shell.
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
		return fmt.Errorf(`after %s a test has %s`, kind, map[string]string{
			"CMD": "a command and its arguments", "CMD-SHELL": "one text for the shell", "HTTP": "one URL",
			"TCP": "one HOST:PORT", "NONE": "nothing",
		}[kind])
	default:
		return fmt.Errorf("a test begins with one of CMD, CMD-SHELL, HTTP, TCP, NONE, not with %q", kind)
	}
	return nil
}

func checkURL(url string) error {
	rest, ok := strings.CutPrefix(url, "http://")
	if !ok {
		if strings.HasPrefix(url, "https://") {
			return fmt.Errorf(`%q: there is no TLS in process 1; use ["CMD", "curl", "-fsS", URL] or the like`, url)
		}
		return fmt.Errorf("%q is not a URL; try http://localhost:8080/health", url)
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	bare := strings.TrimSuffix(host, "]") // an IPv6 address without a port ends so
	if strings.ContainsAny(url, " \t\r\n#") || strings.Contains(host, "@") {
		return fmt.Errorf("%q is not a plain URL; try http://localhost:8080/health", url)
	}
	if bare == host && strings.Contains(host, ":") {
		return checkAddress(host)
	}
	if strings.Trim(host, "[]") == "" {
		return fmt.Errorf("%q has no host", url)
	}
	return nil
}

func checkAddress(address string) error {
	i := strings.LastIndexByte(address, ':')
	host := address[:max(i, 0)]
	port, err := strconv.ParseUint(address[i+1:], 10, 16)
	bracketed := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if i < 1 || err != nil || port == 0 || strings.ContainsAny(host, " \t\r\n/") || !bracketed && strings.ContainsAny(host, ":[]") {
		return fmt.Errorf("%q is not HOST:PORT; try localhost:5432", address)
	}
	return nil
}

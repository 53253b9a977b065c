package config

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	o, err := Parse([]string{
		"--stop-signal", "quit", "--stop-grace-period=3s", "--kill-mode", "process", "--rewrite", "TERM:INT,HUP:0",
		"--rewrite", "RTMIN+3:15", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "20", "-v", "prog", "-v", "--",
		"x",
	}, []string{"A=1", "CGINIT_TIMEOUT=90s", "CGINIT_KILL_MODE=mixed", "CGINIT_SERVICE_HOST=10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	j := o.Job
	if j.StopSignal != syscall.SIGQUIT || j.GracePeriod != 3*time.Second || j.Timeout != 90*time.Second || !o.Verbose {
		t.Errorf("options %+v", o)
	}
	if j.KillMode != Process {
		t.Errorf("kill mode %s: the flag must win over the variable", j.KillMode)
	}
	if want := []string{"prog", "-v", "--", "x"}; !slices.Equal(j.Args, want) {
		t.Errorf("command %q, want %q", j.Args, want)
	}
	if want := []string{"A=1"}; !slices.Equal(j.Env, want) {
		t.Errorf("its environment %q, want %q", j.Env, want)
	}
	want := map[syscall.Signal]syscall.Signal{syscall.SIGTERM: syscall.SIGINT, syscall.SIGHUP: 0, 37: syscall.SIGTERM}
	if !maps.Equal(j.Rewrite, want) {
		t.Errorf("rewrite %v, want %v", j.Rewrite, want)
	}
	r := j.Resources
	if *r.Memory.Limit != 64<<20 || *r.CPU.Quota != 50_000 || *r.CPU.Period != 100_000 || *r.Pids.Limit != 20 {
		t.Errorf("limits %+v", r)
	}
}

func TestDefaults(t *testing.T) {
	o, err := Parse([]string{"--", "-x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	j := o.Job
	if j.Args[0] != "-x" || j.KillMode != Mixed || j.Leftovers != LeftoversStop ||
		j.GracePeriod != DefaultGracePeriod || j.Resources != nil || j.StopSignal != 0 ||
		j.Timeout != 0 || o.Require != "" {
		t.Errorf("defaults %+v", o)
	}
}

// TestParseErrors checks that each error is one line that says what was wrong, where, and what to do.
func TestParseErrors(t *testing.T) {
	for args, words := range map[string][]string{
		"":                               {"no command", "cginit [flags] -- COMMAND"},
		"--nosuch x":                     {"--nosuch", "--help"},
		"--stop-signal FOO x":            {"--stop-signal", `"FOO" is not a signal`, "RTMIN+3"},
		"--stop-signal 65 x":             {`"65" is not a signal`},
		"--stop-signal 0 x":              {`"0" is not a signal`},
		"--stop-signal KILL x":           {"SIGKILL", "--stop-grace-period 0"},
		"--stop-grace-period 5 x":        {"--stop-grace-period", "missing unit"},
		"--stop-grace-period -5s x":      {"--stop-grace-period -5s", "negative"},
		"--timeout -5s x":                {"--timeout -5s", "negative"},
		"--kill-mode all x":              {"--kill-mode", "mixed, control-group, process"},
		"--leftovers keep x":             {"--leftovers", "stop, wait, kill"},
		"--rewrite TERM x":               {"--rewrite", "FROM:TO"},
		"--rewrite TERM:FOO x":           {"--rewrite", "FOO"},
		"--rewrite FOO:TERM x":           {"--rewrite", "FOO"},
		"--memory lots x":                {"--memory", `"lots" is not a size`},
		"--memory 0 x":                   {"--memory", "is not a size"},
		"--cpus none x":                  {"--cpus", "0.5"},
		"--cpus 0 x":                     {"--cpus", "at least 0.01"},
		"--cpus NaN x":                   {"--cpus"},
		"--pids-limit 0 x":               {"--pids-limit"},
		"--user nobody-of-that-name x":   {"--user", "nobody-of-that-name"},
		"--require strong x":             {"--require strong", "cgroup, uid, sealed, tree"},
		"--log-format xml x":             {"--log-format xml", "text or json"},
		"env CGINIT_STOP_SIGNAL=NONE":    {"CGINIT_STOP_SIGNAL=NONE", "not a signal"},
		"env CGINIT_STOP_GRACE_PERIOD=x": {"CGINIT_STOP_GRACE_PERIOD=x"},
	} {
		argv, env := strings.Fields(args), []string(nil)
		if variable, ok := strings.CutPrefix(args, "env "); ok {
			argv, env = []string{"x"}, []string{variable}
		}
		_, err := Parse(argv, env)
		if err == nil {
			t.Errorf("%q is accepted", args)
			continue
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q: %q does not say %q", args, err, word)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: the error has more than one line: %q", args, err)
		}
	}
	if _, err := Parse([]string{""}, nil); err == nil {
		t.Error("an empty name is accepted as a command")
	}
}

// TestFileFlags checks the flags that depend on whether there is a command or a file.
func TestFileFlags(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.yaml")
	there := filepath.Join(t.TempDir(), "cginit.yaml")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args, env, file string
		want            Options
	}{
		{"--config a --config b,c", "", there, Options{Config: []string{"a", "b,c"}}},
		{"", "", there, Options{Config: []string{there}}},
		{"--check", "", none, Options{Check: true}},
		{"--check --json", "", there, Options{Config: []string{there}, Check: true, JSON: true}},
		{"--check -- sh", "", there, Options{Check: true}},
		{"", "CGINIT_CONFIG=e CGINIT_DETACH=true CGINIT_SOCKET=none", there, Options{
			Config: []string{"e"}, Detach: true, Socket: "none",
		}},
		{"sh", "CGINIT_CONFIG=e", there, Options{}},
		{"--log-format json", "", there, Options{Config: []string{there}, LogFormatSet: true}},
		{"--profile a,b --profile c", "CGINIT_PROFILES=x", there, Options{
			Config: []string{there}, Profiles: []string{"a", "b", "c"},
		}},
		{"", "COMPOSE_PROFILES=a,b", there, Options{Config: []string{there}, Profiles: []string{"a", "b"}}},
		{"", "COMPOSE_PROFILES=a CGINIT_PROFILES=b", there, Options{Config: []string{there}, Profiles: []string{"b"}}},
		{"", "CGINIT_PROFILE=p CGINIT_PROFILES=b", there, Options{Config: []string{there}, Profiles: []string{"p"}}},
		{"--socket /run/x sh", "", there, Options{Socket: "/run/x"}},
		{"--stop-grace-period 3s", "", there, Options{Config: []string{there}, GracePeriodSet: true}},
		{"", "CGINIT_STOP_GRACE_PERIOD=3s", there, Options{Config: []string{there}, GracePeriodSet: true}},
	} {
		o, err := parse(strings.Fields(test.args), strings.Fields(test.env), test.file)
		if err != nil {
			t.Errorf("%q, %q: %v", test.args, test.env, err)
			continue
		}
		got := Options{
			Config: o.Config, Profiles: o.Profiles, Check: o.Check, JSON: o.JSON, Detach: o.Detach, Socket: o.Socket,
			GracePeriodSet: o.GracePeriodSet, LogFormatSet: o.LogFormatSet,
		}
		expect(t, test.args+" "+test.env, got, test.want)
	}
	for args, want := range map[string]string{
		"": "no command, and no file " + DefaultFile +
			"; use cginit [flags] -- COMMAND [ARG...] or --config FILE",
		"--config a sh":          "there are both a command (sh) and --config a",
		"--config a --memory 1g": "--memory is for one command",
		"--config a --user root": "--user is for one command",
		"--json sh":              "--json works only with --check",
		"--check --detach":       "--check starts nothing",
		"--socket x.sock sh":     "--socket x.sock: it must be an absolute path, or none",
	} {
		if _, err := parse(strings.Fields(args), nil, none); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}

func TestUser(t *testing.T) {
	for s, want := range map[string]User{
		"12345":     {UID: 12345},
		"12345:678": {UID: 12345, GID: 678},
		"root":      {},
	} {
		got, err := ParseUser(s)
		if err != nil || got.UID != want.UID || got.GID != want.GID {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	o, err := Parse([]string{"--user", "12345", "x"}, []string{"HOME=/root"})
	if err != nil || !slices.Equal(o.Job.Env, []string{"HOME=/"}) {
		t.Errorf("HOME of a user without a name: %v, %v", o, err)
	}
}

func TestSignalNames(t *testing.T) {
	for sig, want := range map[syscall.Signal]string{
		syscall.SIGTERM: "SIGTERM", syscall.SIGABRT: "SIGABRT", syscall.SIGIO: "SIGIO", 34: "SIGRTMIN",
		37: "SIGRTMIN+3",
	} {
		if got := SignalName(sig); got != want {
			t.Errorf("%d is %s, want %s", sig, got, want)
		}
	}
}

// TestUsage checks that the help has every flag, and no line of more than 100 columns.
func TestUsage(t *testing.T) {
	text := Usage()
	for _, flag := range []string{
		"--stop-signal", "--stop-grace-period", "--kill-mode", "--leftovers", "--timeout", "--rewrite", "--memory",
		"--cpus",
		"--pids-limit", "--user", "--config", "--profile", "--check", "--json", "--detach", "--socket", "--require",
		"--report", "--log-format", "-v, --verbose", "--version", "CGINIT_STOP_SIGNAL",
	} {
		if !strings.Contains(text, flag) {
			t.Errorf("the help does not have %s", flag)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 100 {
			t.Errorf("a line of %d columns: %s", len(line), line)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("--rewrite TERM:INT --memory 64m x", "CGINIT_CPUS=2")
	f.Add("--stop-signal RTMIN+3 -- y", "CGINIT_USER=0:0")
	f.Fuzz(func(t *testing.T, args, variable string) {
		o, err := Parse(strings.Fields(args), []string{variable})
		none := err == nil && len(o.Job.Args) == 0 && len(o.Config) == 0 && !o.Check
		if err == nil && !o.Help && !o.Version && (none || o.Job.GracePeriod < 0) {
			t.Errorf("%q, %q: accepted as %+v", args, variable, o)
		}
	})
}

package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// small loads a file with the given text.
func small(t *testing.T, env []string, text string) *File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "cginit.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load([]string{name}, env, nil)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return f
}

// only returns the one service of a file, which has these keys.
func only(t *testing.T, env []string, keys string) Spec {
	t.Helper()
	return *small(t, env, "services:\n  web:\n    command: x\n    "+strings.ReplaceAll(keys, "\n", "\n    ")).Jobs[0]
}

func TestDefaultsOfFile(t *testing.T) {
	f := small(t, nil, "services: {web: {command: x}}")
	expect(t, "file", []any{f.GracePeriod, f.Socket, f.Report, f.LogFormat, f.AllowUIDs},
		[]any{DefaultGracePeriod, "", "", "", []uint32(nil)})
	expect(t, "service", *f.Jobs[0], Spec{
		Name: "web", Service: true, Args: []string{"x"}, StopSignal: syscall.SIGTERM, GracePeriod: 10 * time.Second,
		KillMode: Mixed, Leftovers: LeftoversStop,
		Lifecycle: Lifecycle{
			OnUnhealthy: UnhealthyNone,
			Restart: Restart{
				Policy: RestartAlways, Delay: RestartDelay, MaxDelay: RestartMaxDelay, Window: RestartWindow,
			},
		},
	})
	if f := small(t, nil, "services: {web: {command: x}}\nstop_grace_period: 0s"); f.GracePeriod != 0 {
		t.Errorf("a grace period of 0s becomes %s", f.GracePeriod)
	}
}

func TestEnvironmentOrder(t *testing.T) {
	env := []string{"PATH=/bin", "HOME=/h", "A=ours", "B=ours"}
	web := only(t, env, "user: root\nenvironment: [A, B=own, NONE, C=1, C=2]")
	want := []string{"PATH=/bin", "HOME=" + homeOf(t, "root"), "A=ours", "B=own", "C=2"}
	expect(t, "environment", web.Env, want)
	if web := only(t, env, "user: root\nenvironment: {HOME: /else}"); !slices.Contains(web.Env, "HOME=/else") {
		t.Errorf("HOME of environment is lost: %q", web.Env)
	}
	if web := only(t, env, "environment: {PATH: }"); !slices.Contains(web.Env, "PATH=/bin") {
		t.Errorf("PATH without a value is not inherited: %q", web.Env)
	}
}

func TestGroupsWithoutUser(t *testing.T) {
	u := only(t, nil, "group_add: [12345]").User
	if u == nil || u.UID != uint32(os.Geteuid()) || u.GID != uint32(os.Getegid()) || !slices.Contains(u.Groups,
		12345) {
		t.Errorf("group_add without user: %+v", u)
	}
}

func TestLimitForms(t *testing.T) {
	r := only(t, nil, "mem_limit: 64m").Resources
	expect(t, "the default of memswap_limit", *r.Memory.Swap, int64(64<<20))
	r = only(t, nil, "mem_limit: 67108864\nmemswap_limit: -1").Resources
	expect(t, "swap without limit", []any{r.Memory.Swap, r.Unified},
		[]any{(*int64)(nil), map[string]string{"memory.swap.max": "max"}})
	if r := only(t, nil, "pids_limit: -1").Resources; r != nil {
		t.Errorf("pids_limit: -1 becomes %+v", r)
	}
	r = only(t, nil, "resources: {memory: {limit: 5}}\ncpus: 2").Resources
	expect(t, "both", []int64{*r.Memory.Limit, *r.CPU.Quota}, []int64{5, 200_000})
	r = only(t, nil, "resources: {cpu: {quota: 5000}}").Resources
	expect(t, "the period of a quota", *r.CPU.Period, uint64(100_000))
}

func TestRestartForms(t *testing.T) {
	for keys, want := range map[string]Restart{
		`restart: "no"`:         {Policy: RestartNo},
		`restart: no`:           {Policy: RestartNo},
		`restart: always`:       {Policy: RestartAlways},
		`restart: on-failure`:   {Policy: RestartOnFailure},
		`restart: on-failure:3`: {Policy: RestartOnFailure, Max: 3},
		"restart: unless-stopped\ndeploy: {restart_policy: {condition: any}}":    {Policy: RestartAlways},
		"deploy: {restart_policy: {condition: none}}":                            {Policy: RestartNo},
		"deploy: {restart_policy: {condition: on-failure, max_attempts: \"2\"}}": {Policy: RestartOnFailure, Max: 2},
	} {
		got := only(t, nil, keys).Restart
		expect(t, keys, Restart{Policy: got.Policy, Max: got.Max}, want)
	}
	if r := only(t, nil,
		"deploy: {restart_policy: {delay: 2m}}").Restart; r.Delay != 2*time.Minute || r.MaxDelay != 2*time.Minute {
		t.Errorf("a delay above RestartMaxDelay: %+v", r)
	}
}

func TestReadyForms(t *testing.T) {
	for form, want := range map[string]Ready{
		"notify": {Kind: ReadyNotify}, "forking": {Kind: ReadyForking}, `"fd: 4"`: {
			ReadyFD, 4,
		}, "fd:5": {ReadyFD, 5}, `{fd: "6"}`: {ReadyFD, 6},
	} {
		expect(t, form, only(t, nil, "ready: "+form).Ready, want)
	}
}

func TestHealthForms(t *testing.T) {
	for form, want := range map[string]*Health{
		"curl -f localhost":                 {Args: []string{"/bin/sh", "-c", "curl -f localhost"}},
		`[CMD-SHELL, "a | b"]`:              {Args: []string{"/bin/sh", "-c", "a | b"}},
		"[CMD, a, b]":                       {Args: []string{"a", "b"}},
		`[HTTP, "http://localhost:80/a?b"]`: {HTTP: "http://localhost:80/a?b"},
		`[HTTP, "http://[::1]/"]`:           {HTTP: "http://[::1]/"},
		`[TCP, "[::1]:80"]`:                 {TCP: "[::1]:80"},
		"[NONE]":                            nil,
	} {
		got := only(t, nil, "healthcheck: {test: "+form+"}").Health
		if want != nil {
			want.Interval, want.Timeout = 30*time.Second, 30*time.Second
			want.Retries, want.StartInterval = 3, 5*time.Second
		}
		expect(t, form, got, want)
	}
	if h := only(t, nil, "healthcheck: {test: x, disable: true}").Health; h != nil {
		t.Errorf("a disabled check: %+v", h)
	}
}

func TestSecurityForms(t *testing.T) {
	for form, want := range map[string]bool{
		"[no-new-privileges]": true, `["no-new-privileges:true"]`: true, `["no-new-privileges=true"]`: true,
		`["no-new-privileges:false"]`: false, `["no-new-privileges", "no-new-privileges:false"]`: false,
	} {
		expect(t, form, only(t, nil, "security_opt: "+form).NoNewPrivileges, want)
	}
}

// TestVariablesAreText checks that variables can give numbers, booleans, sizes and parts of a text.
func TestVariablesAreText(t *testing.T) {
	web := only(t, []string{"N=3", "T=yes", "M=1g", "C=0.5", "D=1m"},
		"tty: $T\nmem_limit: ${M}\ncpus: $C\ntimeout: $D\nrestart: on-failure:$N\nready: {fd: $N}\nulimits: "+
			"{nofile: $N}\numask: \"0${N}7\"")
	expect(t, "from variables",
		[]any{
			web.TTY, *web.Resources.Memory.Limit, web.Timeout, web.Restart.Max, web.Ready.FD, web.Rlimits[0].Hard,
			*web.Umask,
		},
		[]any{true, int64(1 << 30), time.Minute, 3, 3, uint64(3), uint32(0o37)})
	if web := only(t, []string{"DB=db"}, "x-any: ${NO}\nenvironment: ['${DB}_URL=$$x']"); web.Env[1] != "db_URL=$x" {
		t.Errorf("a variable in a list: %q", web.Env)
	}
}

// TestYAML checks the features of YAML that people use: anchors, merge keys, escapes, block texts.
func TestYAML(t *testing.T) {
	f := small(t, nil, `%YAML 1.1
---
x-a: &a {user: root, tty: true, labels: {one: "1"}}
x-b: &b
  tty: false
  stdin_open: yes
services:
  first: {<<: [*a, *b], command: &c ["sh", "-c", "echo \"\x41\u00e9\""]}
  second:
    <<: *b
    tty: true
    command: >-
      one
      two
    environment:
      TEXT: |
        a: b
          # no comment
      PLAIN: 0x10
      DATE: 2026-01-02
  third:
    command: *c
`)
	first, second := f.Jobs[0], f.Jobs[1]
	expect(t, "the earlier of merged", []any{first.TTY, first.StdinOpen, first.Labels["one"]}, []any{true, true, "1"})
	expect(t, "the own before the merged", []any{second.TTY, second.StdinOpen, second.User},
		[]any{true, true, (*User)(nil)})
	expect(t, "escapes", first.Args[2], "echo \"Aé\"")
	expect(t, "folded", second.Args, []string{"one", "two"})
	expect(t, "environment", second.Env, []string{"TEXT=a: b\n  # no comment\n", "PLAIN=0x10", "DATE=2026-01-02"})
	expect(t, "alias", f.Jobs[2].Args, first.Args)
}

// TestReplicas checks that a dependency on a service is one on all of its replicas.
func TestReplicas(t *testing.T) {
	f := small(t, nil, `
services:
  web:
    command: x
    depends_on:
      db: {condition: service_started, restart: true}
      cache: {condition: service_started, required: false}
      none: {condition: service_started, required: false}
  db: {command: x, deploy: {replicas: 3}}
  cache: {command: x, profiles: [never]}
  one: {command: x, scale: 1}
  none: {command: x, scale: 0}`)
	var names []string
	for _, j := range f.Jobs {
		names = append(names, j.Name)
	}
	expect(t, "specs", names, []string{"web", "db-1", "db-2", "db-3", "one"})
	expect(t, "dependencies", f.Jobs[0].After,
		[]Dependency{{"db-1", Started, true}, {"db-2", Started, true}, {"db-3", Started, true}})
}

func TestLoadNothing(t *testing.T) {
	if f, err := Load(nil, nil, nil); err == nil {
		t.Errorf("no files are loaded as %+v", f)
	}
}

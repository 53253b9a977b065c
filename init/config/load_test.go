package config

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/init/config/programs"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// load loads files of testdata/good.
func load(t *testing.T, env []string, profiles []string, files ...string) *File {
	t.Helper()
	for i, name := range files {
		files[i] = "testdata/good/" + name
	}
	f, err := Load(files, env, profiles)
	if err != nil {
		t.Fatalf("%v\n%v", files, err)
	}
	return f
}

// spec returns the spec of a name.
func spec(t *testing.T, f *File, name string) Spec {
	t.Helper()
	i := slices.IndexFunc(f.Jobs, func(s *Spec) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no %s", name)
	}
	return *f.Jobs[i]
}

// expect fails the test if got is not deeply equal to want; what names the value.
func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

var hostEnv = []string{
	"PATH=/bin", "HOME=/ours", "LEVEL_OF=two", "CGINIT_CONFIG=x", "NOTIFY_SOCKET=/n", "LISTEN_FDS=1", "LISTEN_PID=1",
	"WATCHDOG_USEC=1",
}

func everything(t *testing.T) *File {
	t.Helper()
	return load(t, hostEnv, []string{"*"}, "everything.yaml")
}

func TestTopLevel(t *testing.T) {
	f := everything(t)
	names := make([]string, len(f.Jobs))
	for i, j := range f.Jobs {
		names[i] = j.Name
	}
	expect(t, "jobs", names, []string{"db", "web-1", "web-2", "daemon", "migrate", "backup"})
	expect(t, "grace period", f.GracePeriod, 8*time.Second)
	expect(t, "socket", f.Socket, "/run/cginit.sock")
	expect(t, "report", f.Report, "/var/log/receipts.jsonl")
	expect(t, "log", f.LogFormat, "json")
	expect(t, "uids", f.AllowUIDs, []uint32{1000, 1001})
	expect(t, "gids", f.AllowGIDs, []uint32{100})
}

func TestProgram(t *testing.T) {
	web := spec(t, everything(t), "web-2")
	expect(t, "service", web.Service, true)
	expect(t, "args", web.Args, []string{"/usr/bin/env", "nginx", "-g", "daemon off;"})
	expect(t, "dir", web.Dir, "/srv")
	expect(t, "labels", web.Labels, map[string]string{"tier": "front", "empty": ""})
	expect(t, "environment", web.Env, []string{
		"PATH=/bin", "HOME=/ours", "LEVEL_OF=two", "NAME=a \"b\"\ntwo", "SINGLE=${no} $var", "PLAIN=x", "LEVEL=info",
		`RAW="${kept}" # all of it`, "PORT=8080", "DEBUG=true", "LANG=C.UTF-8",
	})
	expect(t, "output", web.Output, Output{Log: LogPrefix, TTY: true, StdinOpen: true})
}

func TestStop(t *testing.T) {
	f := everything(t)
	web, db := spec(t, f, "web-1"), spec(t, f, "db")
	expect(t, "signal", web.StopSignal, syscall.SIGQUIT)
	expect(t, "reload signal", web.ReloadSignal, syscall.SIGHUP)
	expect(t, "grace period", web.GracePeriod, 5*time.Second)
	expect(t, "timeout", web.Timeout, 36*time.Hour)
	expect(t, "kill mode", web.KillMode, ControlGroup)
	expect(t, "leftovers", web.Leftovers, LeftoversKill)
	expect(t, "essential", web.Essential, true)
	expect(t, "the signal of postgres", db.StopSignal, syscall.SIGINT)
	expect(t, "why", db.StopWhy, "auto: for postgres it is its fast shutdown")
	expect(t, "success", db.Success, []programs.Ending{{Status: 143}, {Signal: syscall.SIGUSR1}})
	expect(t, "no reload signal", db.ReloadSignal, syscall.Signal(0))
	expect(t, "default grace period", db.GracePeriod, 10*time.Second)
	expect(t, "default kill mode", db.KillMode, Mixed)
	expect(t, "default leftovers", db.Leftovers, LeftoversStop)
}

func TestIdentity(t *testing.T) {
	f := everything(t)
	mask, score := uint32(0o27), -500
	expect(t, "identity", spec(t, f, "web-1").Identity, Identity{
		User: &User{
			UID: 1000, GID: 1000, Groups: []uint32{1000, 0, 2000}, Home: homeOf(t, "1000"),
		}, Umask: &mask, OOMScoreAdj: &score,
		Rlimits: []specs.POSIXRlimit{
			{Type: "RLIMIT_NOFILE", Soft: 1024, Hard: 4096},
			{Type: "RLIMIT_NPROC", Soft: 100, Hard: 100},
			{Type: "RLIMIT_MEMLOCK", Soft: ^uint64(0), Hard: ^uint64(0)},
		},
		CapAdd: []string{"CAP_NET_BIND_SERVICE"}, CapDrop: []string{"ALL"}, NoNewPrivileges: true, Seal: true,
	})
	expect(t, "none", spec(t, f, "db").Identity, Identity{})
}

// homeOf returns the home directory of a user.
func homeOf(t *testing.T, name string) string {
	t.Helper()
	u, err := ParseUser(name)
	if err != nil {
		t.Fatal(err)
	}
	return u.Home
}

func TestLifecycle(t *testing.T) {
	f := everything(t)
	web, db, migrate := spec(t, f, "web-1"), spec(t, f, "db"), spec(t, f, "migrate")
	expect(t, "after", web.After, []Dependency{{"db", Healthy, true}, {"migrate", CompletedSuccessfully, false}})
	expect(t, "restart", web.Restart, Restart{RestartOnFailure, 5, time.Second, RestartMaxDelay, time.Minute})
	expect(t, "ready", db.Ready, Ready{Kind: ReadyNotify})
	expect(t, "ready", spec(t, f, "daemon").Ready, Ready{Kind: ReadyFD, FD: 3})
	expect(t, "start timeout", db.StartTimeout, 90*time.Second)
	expect(t, "watchdog", db.Watchdog, 20*time.Second)
	expect(t, "default restart", db.Restart, Restart{RestartAlways, 0, RestartDelay, RestartMaxDelay, RestartWindow})
	expect(t, "of a job", migrate.Restart.Policy, RestartNo)
	expect(t, "service", migrate.Service, false)
	expect(t, "short depends_on", migrate.After, []Dependency{{"db", Started, false}})
	expect(t, "health", db.Health, &Health{
		TCP: "localhost:5432", Interval: 5 * time.Second, Timeout: 2 * time.Second, Retries: 4,
		StartPeriod: time.Minute, StartInterval: 500 * time.Millisecond,
	})
	expect(t, "unhealthy", db.OnUnhealthy, UnhealthyRestart)
}

func TestHooks(t *testing.T) {
	web := spec(t, everything(t), "web-1")
	root := &User{Home: homeOf(t, "root"), Groups: []uint32{0}}
	before := web.PreStart[0]
	expect(t, "step", []any{before.Args, before.Dir, before.User, before.Timeout, before.Seal},
		[]any{[]string{"mkdir", "-p", "/srv/cache"}, "/", root, 10 * time.Second, true})
	if !slices.Contains(before.Env, "STEP=before") || !slices.Contains(before.Env, "PORT=8080") {
		t.Errorf("the step must have the variables of the service and its own: %q", before.Env)
	}
	expect(t, "post_start", web.PostStart,
		[]Hook{before, {Args: []string{"touch", "/srv/up"}, Env: web.Env, Dir: "/srv", User: web.User}})
	expect(t, "pre_stop", web.PreStop,
		[]Hook{before, {Args: []string{"nginx", "-s", "quit"}, Env: web.Env, Dir: "/srv", User: web.User}})
}

func TestLimits(t *testing.T) {
	f := everything(t)
	r := spec(t, f, "web-1").Resources
	expect(t, "memory", []int64{*r.Memory.Limit, *r.Memory.Swap, *r.Memory.Reservation},
		[]int64{256 << 20, 512 << 20, 64 << 20})
	expect(t, "cpu", []any{*r.CPU.Quota, *r.CPU.Period, *r.CPU.Shares, r.CPU.Cpus},
		[]any{int64(50_000), uint64(100_000), uint64(512), "0-1"})
	expect(t, "pids", *r.Pids.Limit, int64(50))
	r = spec(t, f, "daemon").Resources
	expect(t, "verbatim", []int64{*r.Memory.Limit, *r.Memory.Swap, *r.CPU.Quota, *r.Pids.Limit},
		[]int64{1000000, 2000000, 50000, 7})
	expect(t, "block I/O", r.BlockIO.ThrottleWriteIOPSDevice[0].Rate, uint64(1000))
	expect(t, "unified", r.Unified, map[string]string{"memory.high": "900000"})
	if spec(t, f, "db").Resources != nil {
		t.Error("a service without limits has resources")
	}
}

func TestTriggers(t *testing.T) {
	f := everything(t)
	backup := spec(t, f, "backup")
	expect(t, "by hand", []bool{backup.Manual, backup.ScheduleOnly}, []bool{false, true})
	daily, weekdays := backup.Triggers[0], backup.Triggers[1]
	expect(t, "short", []any{daily.Cron, daily.Location, daily.Queue, daily.CatchUp},
		[]any{"@daily", (*time.Location)(nil), false, true})
	expect(t, "long", []any{weekdays.Cron, weekdays.Location, weekdays.Queue, weekdays.CatchUp},
		[]any{"30 2 * * 1-5", time.UTC, true, false})
}

func TestProfiles(t *testing.T) {
	for selected, want := range map[string]string{
		"": "db migrate backup", "front": "db web-1 web-2 migrate backup",
		"other,all": "db web-1 web-2 daemon migrate backup",
	} {
		var names []string
		for _, j := range load(t, hostEnv, strings.Split(selected, ","), "everything.yaml").Jobs {
			names = append(names, j.Name)
		}
		expect(t, "with "+cmp.Or(selected, "none"), strings.Join(names, " "), want)
	}
}

// TestMerge checks that a second file is merged over the first by the rules of Compose.
func TestMerge(t *testing.T) {
	f := load(t, nil, []string{"two"}, "first.yaml", "second.yaml")
	web := spec(t, f, "web")
	expect(t, "command replaced", web.Args, []string{"other"})
	expect(t, "variables by name", slices.DeleteFunc(slices.Clone(web.Env),
		func(kv string) bool { return len(kv) > 3 }), []string{"A=1", "B=2", "C=3"})
	expect(t, "labels by name", web.Labels, map[string]string{"a": "1", "b": "2"})
	expect(t, "dependencies by name", web.After, []Dependency{{"db", Started, false}, {"cache", Started, true}})
	expect(t, "lists without repetition", web.CapDrop, []string{"CAP_CHOWN", "CAP_KILL", "CAP_FOWNER"})
	expect(t, "env_file", slices.Contains(web.Env, "RAW="), true)
	expect(t, "test replaced, the rest kept", []any{web.Health.Args, web.Health.Retries},
		[]any{[]string{"/bin/sh", "-c", "two"}, 7})
	expect(t, "another driver", web.Log, LogNone)
	expect(t, "ulimits", web.Rlimits,
		[]specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 10, Hard: 30}, {Type: "RLIMIT_CORE", Soft: 2, Hard: 2}})
	expect(t, "signal", web.StopSignal, syscall.SIGTERM)
	expect(t, "reset", web.Resources, (*specs.LinuxResources)(nil))
	expect(t, "override", len(web.PreStop), 1)
	expect(t, "top level", f.GracePeriod, 3*time.Second)
}

// TestSealAuto checks which jobs are left to cginit: those that do not say.
func TestSealAuto(t *testing.T) {
	f := small(t, nil, "seal: auto\nservices:\n  a: {command: x}\n  b: {command: x, seal: true}\n  c: {command: x, seal: false}\n")
	for name, want := range map[string][2]bool{"a": {false, true}, "b": {true, false}, "c": {false, false}} {
		if s := spec(t, f, name); s.Seal != want[0] || s.SealAuto != want[1] {
			t.Errorf("%s: sealed %v, auto %v", name, s.Seal, s.SealAuto)
		}
	}
}

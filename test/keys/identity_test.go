package keys

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
)

// status is a script that prints fields of the shell's own /proc/PID/status.
func status(fields ...string) string {
	return `grep -E "^(` + strings.Join(fields, "|") + `):" /proc/$$/status | tr -s "\t " "  " | sed "s/ $//"`
}

func users(t *testing.T) {
	script := status("Uid", "Gid", "Groups") + "; echo $HOME"
	is(t, says(t, "user: 1234:2345", script), "Uid: 1234 1234 1234 1234\nGid: 2345 2345 2345 2345\nGroups: 2345\n/\n")
	is(t, says(t, "user: '1234'", script), "Uid: 1234 1234 1234 1234\nGid: 0 0 0 0\nGroups: 0\n/\n")
	is(t, says(t, "user: daemon", script), "Uid: 1 1 1 1\nGid: 1 1 1 1\nGroups: 1\n/usr/sbin\n")
	is(t, says(t, "user: daemon:bin\nenvironment: {HOME: /mine}", script), "Uid: 1 1 1 1\nGid: 2 2 2 2\nGroups: 2\n/mine\n")
}

func groups(t *testing.T) {
	is(t, says(t, "user: '1234:2345'\ngroup_add: [tty, 4321]", status("Uid", "Groups")), "Uid: 1234 1234 1234 1234\nGroups: 5 2345 4321\n")
	is(t, says(t, "group_add: ['4321']", status("Uid")+";"+status("Groups")+"| grep -o 4321"), "Uid: 0 0 0 0\n4321\n")
}

func umask(t *testing.T) {
	is(t, says(t, "umask: 027", status("Umask")+"; >{dir}/file; stat -c %a {dir}/file"), "Umask: 0027\n640\n")
	is(t, says(t, "user: '1234'\numask: '0077'", status("Umask", "Uid")), "Umask: 0077\nUid: 1234 1234 1234 1234\n")
}

func ulimits(t *testing.T) {
	script := `grep -E "open files|processes|core" /proc/$$/limits | tr -s " "`
	is(t, says(t, "ulimits: {nofile: 100, nproc: {soft: 500, hard: 600}, core: 0}", script),
		"Max core file size 0 0 bytes \nMax processes 500 600 processes \nMax open files 100 100 files \n")
	is(t, says(t, "user: '1234'\nulimits: {nofile: 200}", `ulimit -Hn`), "200\n")
}

func noNewPrivileges(t *testing.T) {
	is(t, says(t, "security_opt: [no-new-privileges]", status("NoNewPrivs")), "NoNewPrivs: 1\n")
	is(t, says(t, "security_opt: ['no-new-privileges:false']", status("NoNewPrivs")), "NoNewPrivs: 0\n")
	is(t, says(t, "user: '1234'\nsecurity_opt: [no-new-privileges:true]", status("Uid", "NoNewPrivs")), "Uid: 1234 1234 1234 1234\nNoNewPrivs: 1\n")
}

func sealed(t *testing.T) {
	script := `kill -0 1 2>/dev/null && echo signals; echo 0 2>/dev/null >/sys/fs/cgroup/cgroup.procs && echo moves; echo x >{dir}/file; cat {dir}/file`
	is(t, says(t, "seal: true", script), "x\n")
	is(t, says(t, "seal: false", script), "signals\nmoves\nx\n")
	is(t, says(t, "seal: true\nuser: '1234'", status("Uid", "NoNewPrivs")), "Uid: 1234 1234 1234 1234\nNoNewPrivs: 0\n")
	is(t, says(t, "seal: true\ncap_drop: [SYS_ADMIN]", status("NoNewPrivs")), "NoNewPrivs: 0\n")
}

func oomScoreAdj(t *testing.T) {
	is(t, says(t, "oom_score_adj: 500", "cat /proc/$$/oom_score_adj"), "500\n")
	if full(t)&sysResource == 0 { // as in a container without CAP_SYS_RESOURCE
		w := start(t, one("jobs", "echo up", "oom_score_adj: -100"))
		is(t, w.rest(), "")
		w.ends(125)
		if !strings.Contains(w.Stderr(), "cannot set oom_score_adj to -100 (less than ours needs CAP_SYS_RESOURCE)") {
			t.Errorf("stderr: %s", w.Stderr())
		}
		return
	}
	is(t, says(t, "oom_score_adj: -100\nuser: '1234'", "cat /proc/$$/oom_score_adj"), "-100\n")
}

const (
	netBindService = 1 << 10
	netRaw         = 1 << 13
	sysResource    = 1 << 24
)

// full returns the bounding set of a process that has dropped no capability.
func full(t *testing.T) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(pod.Status(1, "CapBnd"), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// capabilities runs a job with these keys and checks its capability sets. The set has is both the
// permitted and the effective one.
func capabilities(t *testing.T, keys string, bounding, has, ambient uint64) {
	t.Helper()
	want := fmt.Sprintf("CapPrm: %016x\nCapEff: %016x\nCapBnd: %016x\nCapAmb: %016x\n", has, has, bounding, ambient)
	if got := says(t, keys, status("CapBnd", "CapPrm", "CapEff", "CapAmb")); got != want {
		t.Errorf("with %q:\n%s\nnot\n%s", keys, got, want)
	}
}

func capDrop(t *testing.T) {
	all := full(t)
	capabilities(t, "", all, all, 0)
	capabilities(t, "cap_drop: [NET_RAW]", all&^netRaw, all&^netRaw, 0)
	capabilities(t, "cap_drop: [all]", 0, 0, 0)
	capabilities(t, "user: '1234'", all, 0, 0)
	capabilities(t, "user: '1234'\ncap_drop: [CAP_NET_RAW]", all&^netRaw, 0, 0)
}

// capAdd checks that a user other than root gets the capabilities as ambient ones, so that they survive
// its exec.
func capAdd(t *testing.T) {
	all := full(t)
	capabilities(t, "cap_drop: [ALL]\ncap_add: [NET_BIND_SERVICE]", netBindService, netBindService, 0)
	capabilities(t, "user: '1234'\ncap_drop: [ALL]\ncap_add: [net_bind_service]", netBindService, netBindService, netBindService)
	capabilities(t, "user: '1234'\ncap_add: [CAP_NET_BIND_SERVICE]", all, netBindService, netBindService)
	capabilities(t, "user: '1234'\ncap_add: [ALL]\ncap_drop: [NET_RAW]", all, all, all)
	t.Run("not ours to give", func(t *testing.T) {
		w := startIn(t, pod.NoCgroup, one("jobs", "echo up", "cap_add: [SYS_ADMIN]"))
		if said := w.rest(); said != "" {
			t.Errorf("the command has run: %s", said)
		}
		w.ends(125)
		if !strings.Contains(w.Stderr(), "cannot give CAP_SYS_ADMIN: we do not have it ourselves") {
			t.Errorf("stderr: %s", w.Stderr())
		}
	})
}

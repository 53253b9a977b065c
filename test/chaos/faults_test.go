package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// ending is one way in which a run ends while system calls fail.
type ending struct {
	name string
	args []string
	code int
}

func endings(t *testing.T) []ending {
	return []ending{
		{"exits", trees(t, "daemon", "5", "--exit", "3"), 3},
		{"timeout", append([]string{"--timeout", "500ms", "--stop-grace-period", "100ms"}, trees(t, "deaf", "5")...), 124},
	}
}

// TestFaults makes system calls of cginit fail for a while. cginit must go on as if they had not
// failed.
func TestFaults(t *testing.T) {
	for _, inject := range []string{
		"clone3:error=ENOSYS",        // the seccomp profile of Docker and containerd
		"clone3:error=EAGAIN:when=1", // strace counts calls by thread, and each try can come from another
		"clone3:error=ENOMEM:when=1",
		"rmdir,unlinkat:error=EBUSY:when=1..3",
		"rmdir,unlinkat:error=EBUSY:when=1..9", // strace counts calls by thread, so the last tries fail too
		"openat:error=EINTR:when=3+3",
		"epoll_pwait:error=EINTR:when=1+2",
		"wait4,waitid:error=EINTR:when=1+2",
		"read,pread64:error=EINTR:when=2+2",
		"write:error=EINTR:when=2+2",
		"ppoll,poll:error=EINTR:when=1+2",
	} {
		t.Run(inject, func(t *testing.T) { faults(t, inject, "") })
	}
}

// TestCgroupFaults makes calls on single files of the job's cgroup fail for a while.
func TestCgroupFaults(t *testing.T) {
	for file, inject := range map[string]string{
		"cgroup.kill":   "write:error=EIO:when=1..3",
		"cgroup.freeze": "write:error=EIO:when=1..3",
		"cgroup.events": "read,pread64:error=EIO:when=2..4", // the first belongs to the start
		"cgroup.procs":  "read,pread64:error=EIO:when=1..3",
	} {
		t.Run(file, func(t *testing.T) { faults(t, inject, file) })
	}
}

// TestFaultsWithoutCgroup makes calls of cginit and of its holders fail, at levels where holders hold
// the job.
func TestFaultsWithoutCgroup(t *testing.T) {
	for _, inject := range []string{
		"openat:error=EINTR:when=3+3",
		"wait4,waitid:error=EINTR:when=1+2",
		"read,pread64:error=EINTR:when=2+2",
		"write:error=EINTR:when=2+2",
		"ppoll,poll:error=EINTR:when=1+2",
		"sendto,sendmsg,recvfrom,recvmsg:error=EINTR:when=1+2",
	} {
		for level, spec := range map[string]func(*testing.T, ending) pod.Spec{
			"tree": func(_ *testing.T, e ending) pod.Spec { return pod.Spec{Mode: pod.Subreaper, UID: 54321, Args: e.args} },
			"uid":  ownUID,
		} {
			for _, e := range endings(t) {
				t.Run(inject+"/"+level+"/"+e.name, func(t *testing.T) {
					r := ends(t, faulty(t, spec(t, e), inject, ""), e.code)
					if receipt, err := r.Receipt(); err != nil || receipt.Containment != level || receipt.Unkillable > 0 {
						t.Errorf("the receipt says %+v, %v", receipt, err)
					}
				})
			}
		}
	}
}

// ownUID returns a container whose only job has a uid of its own.
func ownUID(t *testing.T, e ending) pod.Spec {
	harness.AsRoot(t) // an ordinary user has only one uid
	at := slices.Index(e.args, "--")
	text := fmt.Sprintf("jobs: {main: {command: [%s], user: auto", "'"+strings.Join(e.args[at+1:], "', '")+"'")
	if at > 0 {
		text += ", timeout: 500ms, stop_grace_period: 100ms"
	}
	file := filepath.Join(pod.OpenDir(t), "cginit.yaml")
	if err := os.WriteFile(file, []byte(text+"}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return pod.Spec{Mode: pod.NoCgroup, Args: []string{"--socket", "none", "--config", file}}
}

// faults runs every ending, as process 1 and as a subreaper, with a fault that must not change it.
func faults(t *testing.T, inject, file string) {
	for _, mode := range []pod.Mode{pod.Process1, pod.Subreaper} {
		for _, e := range endings(t) {
			t.Run(string(mode)+"/"+e.name, func(t *testing.T) {
				ends(t, faulty(t, pod.Spec{Mode: mode, Args: e.args}, inject, file), e.code)
			})
		}
	}
}

// TestSingleFault makes one call of a kind fail: the first in one run, the second in the next, and so
// on. If cginit cannot do without the call, it refuses to start. In every case nothing may be left.
// CGINIT_FAULTS sets how many calls of each kind are tried.
func TestSingleFault(t *testing.T) {
	most := 3
	if text := os.Getenv("CGINIT_FAULTS"); text != "" {
		var err error
		if most, err = strconv.Atoi(text); err != nil {
			t.Fatalf("CGINIT_FAULTS: %v", err)
		}
	}
	// The first call of some kinds belongs to the Go runtime, which ends the program if it fails. Begin
	// after it.
	for fault, first := range map[string]int{
		"openat:error=EMFILE": 1, "openat:error=ENOMEM": 1, "pipe2:error=EMFILE": 1, "clone3:error=EPERM": 1,
		"mkdir,mkdirat:error=ENOSPC": 1, "mkdir,mkdirat:error=EAGAIN": 1, "getdents64:error=ENOMEM": 1,
		"clone:error=EAGAIN": 1, "epoll_ctl:error=ENOSPC": 2, "socketpair:error=EMFILE": 1, "sendto,sendmsg:error=ENOBUFS": 1,
	} {
		for n := range most {
			inject := fmt.Sprintf("%s:when=%d", fault, first+n)
			t.Run(inject, func(t *testing.T) {
				for _, e := range endings(t) {
					for _, uid := range []int{0, 54321} { // root has a cgroup, the other user gets level tree
						t.Run(fmt.Sprint(e.name, "/", uid), func(t *testing.T) {
							survives(t, faulty(t, pod.Spec{Mode: pod.Subreaper, UID: uid, Args: e.args}, inject, ""), e)
						})
					}
				}
			})
		}
	}
}

// survives fails the test unless the run ended as its ending says or cginit refused to start.
func survives(t *testing.T, p *pod.Pod, e ending) {
	t.Helper()
	// the exit status of the program trees if the fault hit one of its own calls
	const needed = 71
	r := p.Wait()
	if err := r.Clean(); err != nil {
		t.Error(err)
	}
	if !slices.Contains([]int{e.code, 125, needed}, r.Code) || r.Code == 125 && r.Stderr == "" {
		t.Errorf("cginit ended with %d (signal %d); stderr: %s", r.Code, r.Signal, r.Stderr)
	}
}

// faulty starts a run under strace, which makes calls fail. If file names a file of the job's cgroup,
// only calls on that file fail.
func faulty(t *testing.T, spec pod.Spec, inject, file string) *pod.Pod {
	t.Helper()
	calls, _, _ := strings.Cut(inject, ":")
	spec.Wrap = []string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + calls, "-e", "inject=" + inject}
	spec.Untraced = true
	cgroup := pod.Cgroup
	if spec.Mode != pod.Subreaper {
		spec.Wrap = append(spec.Wrap, "-D") // strace must be a child of cginit, which is process 1, and not its parent
		cgroup = "/sys/fs/cgroup"
	}
	if file != "" {
		spec.Wrap = append(spec.Wrap, "-P", cgroup+"/cginit.jobs/main.1/"+file)
	}
	p := pod.Start(t, spec)
	p.EndInput()
	return p
}

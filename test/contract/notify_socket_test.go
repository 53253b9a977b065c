package contract

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/seal"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// The tests in this file are about what NOTIFY_SOCKET names. A job that runs named writes that into $DIR/NAME.socket.

func named(name, then string) string {
	return `echo $$NOTIFY_SOCKET > $DIR/` + name + `.new; mv $DIR/` + name + `.new $DIR/` + name + `.socket; ` + then
}

// socketOf returns the NOTIFY_SOCKET of a job that has written it down.
func (b *box) socketOf(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name+".socket"))
	check(b.t, err)
	return strings.TrimSpace(string(text))
}

// isAbsent tells whether there is no file at path.
func isAbsent(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, os.ErrNotExist)
}

// TestNotifySocketIsAFile checks that each job has a socket of its own in a directory of cginit's, that a
// reload without the job removes it, and that the end of cginit removes the rest.
func TestNotifySocketIsAFile(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		service := func(name string) string {
			return l.speaker(name, named(name, `$ACT await READY=1; exec $ACT serve `+name), "stop_grace_period: 1m")
		}
		db := service("db")
		b, c, _ := gatedClient(t, l, "services:\n"+db+service("web"))
		b.noted("web up", "db up")
		web, ofDB := b.socketOf("web"), b.socketOf("db")
		dir, parent := filepath.Dir(web), "/run"
		if l.name == tree.name { // an ordinary user
			parent = "/tmp"
		}
		if web == ofDB || filepath.Dir(ofDB) != dir || filepath.Dir(dir) != parent || isAbsent(web) || isAbsent(ofDB) {
			t.Errorf("the sockets are %s and %s", web, ofDB)
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o711 {
			t.Errorf("%v, %v", info, err)
		}
		b.write("services:\n" + db)
		_, err := c.Reload(within(t))
		check(t, err)
		pod.Until(t, "the removal of the socket", func() bool { return isAbsent(web) })
		if isAbsent(ofDB) {
			t.Error("the other socket is gone too")
		}
		check(t, c.Shutdown(within(t)))
		b.ends(0)
		if !isAbsent(dir) {
			t.Errorf("%s is left", dir)
		}
	})
}

// TestNotifySocketAfterAFailure checks that nothing is left of a start that fails.
func TestNotifySocketAfterAFailure(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, "services: {web: {command: "+sh(named("web", "exit 1"))+", ready: notify}}")
		b.ends(1)
		if dir := filepath.Dir(b.socketOf("web")); !strings.HasPrefix(filepath.Base(dir), "cginit-") || !isAbsent(dir) {
			t.Errorf("%s is left", dir)
		}
	})
}

// around wraps cginit in a script that runs before it.
func around(l level, script string) level {
	l.spec.Wrap = []string{"sh", "-ec", script + `; exec "$@"`, "sh"}
	return l
}

// TestNoNotifySocket checks that a file without a job that needs one makes no directory.
func TestNoNotifySocket(t *testing.T) {
	b := start(t, around(cgroup, `mkdir $DIR/run; mount --bind $DIR/run /run`), `
services: {web: {command: $ACT serve web, pre_start: [{command: `+sh(`echo "step [$$NOTIFY_SOCKET]" >> $LOG`)+`}]}}
`)
	b.noted("web up", "step []")
	made, err := os.ReadDir(filepath.Join(b.dir, "run"))
	if err != nil || len(made) > 0 {
		t.Errorf("/run has %v, %v", made, err)
	}
	b.Signal(unix.SIGTERM)
	b.ends(0)
}

// TestNotifySocketForOthers checks that a job of another user can send to the socket, whatever the umask is and
// whoever may enter /run.
func TestNotifySocketForOthers(t *testing.T) {
	for script, where := range map[string]string{
		"umask 077":                              "/run",
		"mount -t tmpfs -o mode=0700 tmpfs /run": "/tmp",
		"mount -t tmpfs -o mode=0777 tmpfs /run": "/tmp", // everybody can rename our directory there
	} {
		t.Run(script, func(t *testing.T) {
			b := start(t, around(cgroup, script), `
services:
	web: {command: `+sh(named("web", `$ACT await READY=1; exec sleep inf`))+`, user: "54506", umask: "022", ready: notify}
	next: {command: $ACT serve next, depends_on: [web]}
`)
			b.noted("next up")
			if s := b.socketOf("web"); filepath.Dir(filepath.Dir(s)) != where {
				t.Errorf("the socket is %s", s)
			}
			b.Signal(unix.SIGTERM)
			b.ends(0)
		})
	}
}

// TestNotifySocketOnReadOnlyRoot checks that the socket is abstract where neither /run nor /tmp can be written
// to, and that jobs can use it, also sealed ones.
func TestNotifySocketOnReadOnlyRoot(t *testing.T) {
	l := around(cgroup, `mount --bind /run /run; mount -o remount,bind,ro /run
		mount --bind /tmp /tmp; mount --bind $DIR $DIR; mount -o remount,bind,ro /tmp`)
	l.spec.Untraced = true // the trace would be in another directory
	spec := l.spec
	b := prepare(t, &spec, `
services:
	web: {command: `+sh(named("web", `$ACT await READY=1; exec $ACT serve web`))+`, user: "54507", ready: notify}
	sealed: {command: `+sh(named("sealed", `$ACT await READY=1; exec $ACT serve sealed`))+`, seal: true, ready: notify}
	next: {command: $ACT serve next, depends_on: [web, sealed]}
`)
	spec.Report = b.dir + "/receipts"
	b.run(spec)
	b.noted("next up")
	for _, name := range []string{"web", "sealed"} {
		if s := b.socketOf(name); !strings.HasPrefix(s, "@cginit-") {
			t.Errorf("the socket of %s is %s", name, s)
		}
	}
	b.Signal(unix.SIGTERM)
	b.ends(0)
}

// TestNotifySocketIsRemoved checks that a run gets a new socket when somebody has removed the directory, and
// that cginit follows no symbolic link in its place.
func TestNotifySocketIsRemoved(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	web: {command: `+sh(`dir=$${NOTIFY_SOCKET%/*}; echo $$dir >> $LOG; $ACT await READY=1; [ ! -e $DIR/away ] || exec $ACT serve web; mkdir $DIR/away; rm -rf $$dir; ln -s $DIR/away $$dir; exit 1`)+`, ready: notify, deploy: {restart_policy: {delay: 1ms}}}
`)
		b.noted("web up")
		before, after := b.notes()[0], b.notes()[1]
		t.Cleanup(func() { os.Remove(before) })
		if made, err := os.ReadDir(b.dir + "/away"); err != nil || len(made) > 0 || before == after {
			t.Errorf("the link was followed: %v, %v; the directories are %s and %s", made, err, before, after)
		}
		b.Signal(unix.SIGTERM)
		b.ends(0)
		if !isAbsent(after) {
			t.Errorf("%s is left", after)
		}
	})
}

// TestNotifySocketOfASealedJob checks that a sealed job can notify, and cannot connect to an abstract socket.
func TestNotifySocketOfASealedJob(t *testing.T) {
	if !seal.HoldsSignals() {
		harness.Missing(t, "Landlock of Linux 6.12")
	}
	inEach(t, func(t *testing.T, l level) {
		name := "@" + filepath.Base(pod.OpenDir(t))
		conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		check(t, err)
		defer conn.Close()
		script := `NOTIFY_SOCKET=` + name + ` $ACT tell X=1 && echo as SAYS >> $LOG; $ACT await READY=1 STATUS=SAYS; exec $ACT serve SAYS`
		b, c, _ := gatedClient(t, l, "services:\n"+
			l.speaker("sealed", strings.ReplaceAll(script, "SAYS", "sealed"), "seal: true, stop_grace_period: 1m")+
			l.speaker("open", strings.ReplaceAll(script, "SAYS", "open"), "stop_grace_period: 1m"))
		b.noted("sealed up", "open up", "as open")
		if b.count("as sealed") > 0 {
			t.Error("a sealed job has connected to an abstract socket")
		}
		if j := state(t, c, "sealed"); j.State != control.Running || j.Status != "sealed" {
			t.Errorf("%+v", j)
		}
		check(t, c.Shutdown(within(t)))
		b.ends(0)
	})
}

// TestNotifyClients checks real clients, which wait for nothing but the socket.
func TestNotifyClients(t *testing.T) {
	for program, command := range map[string]string{
		"systemd-notify": `systemd-notify --ready --status=works`,
		"python3": `python3 -c '
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"READY=1\nSTATUS=works", os.environ["NOTIFY_SOCKET"])'`,
		// As the gem sd_notify 0.1.1 of Puma and Sidekiq does: it knows no abstract sockets.
		"ruby": `ruby -rsocket -e 'Addrinfo.unix(ENV.fetch("NOTIFY_SOCKET"), :DGRAM).connect { |s| s.write("READY=1\nSTATUS=works") }'`,
	} {
		t.Run(program, func(t *testing.T) {
			harness.Command(t, program)
			inEach(t, func(t *testing.T, l level) {
				b, c, _ := gatedClient(t, l, "services:\n"+
					l.speaker("web", command+` || exit 1; exec $ACT serve web`, "stop_grace_period: 1m")+
					"\tnext: {command: $ACT serve next, depends_on: [web]}\n")
				b.noted("web up", "next up")
				if j := state(t, c, "web"); j.Status != "works" {
					t.Errorf("%+v", j)
				}
				check(t, c.Shutdown(within(t)))
				b.ends(0)
			})
		})
	}
}

package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// frozenWriter writes to a file system that keeps its writers in state D until it is thawed. With the
// path busybox's shell executes another process instead of writing itself.
const frozenWriter = "/bin/touch /frozen/file"

// frozenThread writes by a thread that is not the process' first one.
const frozenThread = "/init thread /frozen/file"

func writeByThread(path string) error {
	runtime.LockOSThread() // keeps the goroutine below off the first thread
	go func() { _ = os.WriteFile(path, nil, 0o644) }()
	return syscall.Pause()
}

func mountFrozen() error {
	return sh(`mkdir -p /frozen
		[ -b /dev/ram0 ] || insmod /brd.ko rd_nr=1 rd_size=8192
		until [ -b /dev/ram0 ]; do sleep 0.1; done
		mke2fs /dev/ram0
		mount -t ext4 /dev/ram0 /frozen`)
}

func freeze() error { return sh("fsfreeze --freeze /frozen") }

func thaw() error { return sh("fsfreeze --unfreeze /frozen") }

func unmountFrozen() error { return sh("umount /frozen") }

func sh(script string) error {
	out, err := exec.Command("sh", "-ec", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// unkillable stops a job while one of its processes is in state D, and thaws once cginit has reported
// it. Outside, cginit reports it by its end. In the box cginit reports it by the receipt, because the
// kernel lets process 1 of a PID namespace end only after all other processes in it.
func unkillable(b *box) error { return cannotEnd(b, frozenWriter) }

// unkillableThread is unkillable for a process whose first thread, which /proc shows, has ended.
func unkillableThread(b *box) error { return cannotEnd(b, frozenThread) }

func cannotEnd(b *box, writer string) error {
	if err := mountFrozen(); err != nil {
		return err
	}
	if err := freeze(); err != nil {
		return err
	}
	said, err := b.stopInD(writer)
	err = cmp.Or(err, thaw())
	if err == nil && !b.outside {
		err = b.wait()
	}
	if err == nil {
		err = until(said+" gone", func() bool { _, err := os.Stat(said); return err != nil })
	}
	return cmp.Or(err, unmountFrozen())
}

// dying stops a process that has the last descriptor of a removed file. While it exits it is in state D
// until it can release the file. The thaw comes after the time in which cginit would have given up on a
// process that is really stuck.
func dying(b *box) error {
	const stuck = time.Second
	if err := mountFrozen(); err != nil {
		return err
	}
	if err := b.start("--stop-grace-period=100ms", "--", "sh", "-c", "exec 3>/frozen/file; rm /frozen/file; exec sleep 2000"); err != nil {
		return err
	}
	pid, err := b.holds("sleep 2000")
	if err != nil {
		return err
	}
	if err = freeze(); err != nil {
		return err
	}
	if err = b.cmd.Process.Signal(syscall.SIGTERM); err == nil {
		err = b.until("state D", func() bool { return state("/proc/"+pid) == "D" })
	}
	if err == nil {
		begun := time.Now()
		err = b.until("a verdict, or none", func() bool { return len(b.receipts()) > 0 || time.Since(begun) > stuck })
		b.Facts["state at the thaw"] = state("/proc/" + pid)
	}
	return cmp.Or(err, thaw(), b.wait(), unmountFrozen())
}

// stopInD stops a job and returns the /proc directory of its process that could not be killed.
func (b *box) stopInD(writer string) (proc string, err error) {
	command := []string{"sh", "-c", writer + " & sleep 2000"}
	if b.outside {
		command = strings.Fields(writer)
	}
	if err := b.start(append([]string{"--stop-grace-period=500ms", "--"}, command...)...); err != nil {
		return "", err
	}
	pid, err := b.holds(writer)
	if err != nil {
		return "", err
	}
	proc = "/proc/" + pid
	if err := b.until("state D", func() bool { return hasThreadInD(proc) }); err != nil {
		return proc, err
	}
	seen := strings.Fields(field(proc, "NSpid"))
	b.Facts["pid"] = seen[len(seen)-1]
	if b.outside {
		err = b.stop()
	} else if err = b.cmd.Process.Signal(syscall.SIGTERM); err == nil {
		err = b.until("the receipt", func() bool { return len(b.receipts()) > 0 })
	}
	b.Facts["state at the end"] = state(proc)
	return proc, err
}

func hasThreadInD(proc string) bool {
	threads, _ := filepath.Glob(proc + "/task/*")
	return slices.ContainsFunc(threads, func(thread string) bool { return state(thread) == "D" })
}

func state(proc string) string {
	return strings.Fields(field(proc, "State") + " gone")[0]
}

// field returns a field of /proc/PID/status.
func field(proc, name string) string {
	for line := range strings.Lines(read(proc + "/status")) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return value
		}
	}
	return ""
}

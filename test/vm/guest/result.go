package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// port carries only the results. The kernel's console is another device.
var port = os.Getenv("port")

const terminationLog = "/dev/termination-log"

// result is what was seen of one scenario from outside the box.
type result struct {
	Scenario    string            `json:"scenario"`
	Error       string            `json:"error,omitempty"` // why the guest could not do its part
	Status      int               `json:"status"`          // of cginit; -1 if a signal ended it
	Stderr      string            `json:"stderr"`
	Receipts    []json.RawMessage `json:"receipts"`
	Termination string            `json:"termination"`
	Alive       []string          `json:"alive"` // command lines of the processes in the box after cginit's end
	Dirs        []string          `json:"dirs"`  // cgroups in the box after cginit's end
	Facts       map[string]string `json:"facts"` // what the scenario itself has recorded
}

// settle records what is the same for every scenario. A scenario that failed may have left cginit
// running.
func (b *box) settle() {
	if b.ended != nil {
		_ = b.cmd.Process.Kill()
		<-b.ended
		b.Status = b.cmd.ProcessState.ExitCode()
	}
	b.Stderr = read(b.stderr)
	b.Receipts = b.receipts()
	b.Termination = read(terminationLog)
	b.Dirs = b.below()
	for _, dir := range append([]string{b.dir}, b.Dirs...) {
		if dir == cgroupRoot {
			continue // the guest itself lives there
		}
		for _, pid := range procs(dir) {
			b.Alive = append(b.Alive, cmdline(pid))
		}
	}
}

func (b *box) receipts() (all []json.RawMessage) {
	for line := range bytes.Lines([]byte(read(b.report))) {
		all = append(all, json.RawMessage(line))
	}
	return all
}

// below lists the cgroups under the box, the deepest first.
func (b *box) below() (dirs []string) {
	_ = filepath.WalkDir(b.dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != b.dir {
			dirs = append([]string{path}, dirs...)
		}
		return nil
	})
	return dirs
}

// send writes the result to the port.
func (b *box) send() error {
	line, err := json.Marshal(b.result)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(port, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err = out.Write(append(line, '\n')); err != nil {
		return err
	}
	drain(out)
	return nil
}

// drain waits until a terminal has sent everything. A close waits too, but only until the next signal, and the
// kernel drops the rest.
func drain(terminal *os.File) {
	const afterOutput = 1 // of TCSBRK: tcdrain(3)
	for {
		if err := unix.IoctlSetInt(int(terminal.Fd()), unix.TCSBRK, afterOutput); err != unix.EINTR {
			return // ENOTTY: it is no terminal, and keeps nothing back
		}
	}
}

// read returns the content of a file without the last newline, or "" if there is no file.
func read(path string) string {
	data, _ := os.ReadFile(path)
	return strings.TrimSuffix(string(data), "\n")
}

func procs(cgroup string) []string {
	return strings.Fields(read(filepath.Join(cgroup, "cgroup.procs")))
}

func cmdline(pid string) string {
	return strings.TrimSpace(strings.ReplaceAll(read("/proc/"+pid+"/cmdline"), "\x00", " "))
}

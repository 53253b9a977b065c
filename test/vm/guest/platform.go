package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

var platform = []scenario{
	{"early", false, early},
	{"units", true, units},
}

// early sends process 1 a signal at different moments of its start, also before its Go runtime has begun, and
// counts the exit statuses.
func early(b *box) error {
	const runs, lost = 40, "lost"
	statuses := map[string]int{}
	for i := range runs {
		if err := b.start("--", "sleep", "1000"); err != nil {
			return err
		}
		if err := b.executed(); err != nil {
			return err
		}
		<-time.After(time.Duration(i) * time.Millisecond)
		if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		status := lost
		select {
		case <-b.ended:
			status = fmt.Sprint(b.cmd.ProcessState.ExitCode())
		case <-time.After(patience / 10):
			if err := b.stop(); err != nil {
				return err
			}
		}
		statuses[status]++
	}
	b.Facts["statuses"] = fmt.Sprint(statuses)
	b.Facts["lost"] = fmt.Sprint(statuses[lost])
	b.Facts["others"] = fmt.Sprint(runs - statuses[lost] - statuses["143"])
	return nil
}

// executed returns as soon as cginit is executed in the box, so it does not sleep between its looks.
func (b *box) executed() error {
	exe := fmt.Sprintf("/proc/%d/exe", b.cmd.Process.Pid)
	for begun := time.Now(); time.Since(begun) < patience; {
		if program, _ := os.Readlink(exe); program == "/bin/cginit" {
			return nil
		}
	}
	return fmt.Errorf("cginit was not executed in %s", patience)
}

// units runs the tests of packages.
func units(b *box) error {
	found, _ := filepath.Glob("/bin/units/*.test")
	for _, path := range found {
		said, _ := exec.Command(path, "-test.v").CombinedOutput() // it says whether it has failed
		b.Facts[strings.TrimSuffix(filepath.Base(path), ".test")] = string(said)
	}
	return nil
}

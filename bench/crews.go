package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// crew is a supervisor of many services.
type crew struct {
	name    string
	program string
	// most is how many services it is measured with: the most that runit can have, and for the slowest as
	// many as a round has time for.
	most int
	// stop is the signal that has it stop its services and end.
	stop syscall.Signal
	// prepare writes its configuration into an empty directory: n services that run the command. It
	// returns its command line.
	prepare func(dir string, n int, command []string) ([]string, error)
}

// crews returns the supervisors that are installed.
func (l *lab) crews() []crew {
	all := []crew{
		{before, l.before, 4000, syscall.SIGTERM, ours(l.before)},
		{cginit, l.cginit, 4000, syscall.SIGTERM, ours(l.cginit)},
		{"dinit", "dinit", 4000, syscall.SIGTERM, dinit},
		{"s6", "s6-svscan", 4000, syscall.SIGTERM, s6},
		{"runit", "runsvdir", 1000, syscall.SIGHUP, runit},
		{"supervisord", "supervisord", 100, syscall.SIGTERM, supervisord},
		{"pebble", "pebble", 100, syscall.SIGTERM, pebble},
	}
	return slices.DeleteFunc(all, func(c crew) bool { return c.program == "" || missing(c.program) })
}

// crowds returns how many services the supervisors get.
func (l *lab) crowds() []int {
	if l.short {
		return []int{1, 100, 1000}
	}
	return []int{1, 100, 1000, 4000}
}

func namesOf(all []crew) []string {
	var text []string
	for _, c := range all {
		text = append(text, c.name)
	}
	return text
}

// start starts the supervisor with n services. It returns when all of them are executed, and how long
// that took.
func (c crew) start(l *lab, n int, in inside) (*ward, time.Duration, error) {
	if n > c.most {
		return nil, 0, errAbsent
	}
	dir, err := os.MkdirTemp(l.dir, "crew")
	if err != nil {
		return nil, 0, err
	}
	fifo, err := l.fifo()
	if err != nil {
		return nil, 0, err
	}
	defer fifo.Close()
	argv, err := c.prepare(dir, n, []string{l.program("sleeper"), fifo.Name()})
	if err != nil {
		return nil, 0, err
	}
	begin := time.Now()
	w, err := l.enter(argv, in, nil)
	if err != nil {
		return nil, 0, err
	}
	if err := heard(fifo, n, 3*time.Minute); err != nil {
		w.end()
		return nil, 0, err
	}
	return w, time.Since(begin), nil
}

// ours returns how cginit is prepared.
func ours(program string) func(dir string, n int, command []string) ([]string, error) {
	return func(dir string, n int, command []string) ([]string, error) {
		var text strings.Builder
		fmt.Fprintf(&text, "socket: %s/socket\nstop_grace_period: 60s\nservices:\n", dir)
		for i := range n {
			fmt.Fprintf(&text, "  s%d: {command: [%s]}\n", i, strings.Join(command, ", "))
		}
		file := filepath.Join(dir, "cginit.yaml")
		return []string{program, "--config", file}, os.WriteFile(file, []byte(text.String()), 0o600)
	}
}

// dinit has a file for each service, and one that needs them all.
func dinit(dir string, n int, command []string) ([]string, error) {
	var boot strings.Builder
	boot.WriteString("type = internal\n")
	for i := range n {
		text := "type = process\ncommand = " + strings.Join(command, " ") + "\n"
		if err := os.WriteFile(fmt.Sprintf("%s/s%d", dir, i), []byte(text), 0o600); err != nil {
			return nil, err
		}
		fmt.Fprintf(&boot, "waits-for: s%d\n", i)
	}
	argv := []string{"dinit", "--container", "--quiet", "--services-dir", dir, "--socket-path", dir + "/socket", "boot"}
	return argv, os.WriteFile(dir+"/boot", []byte(boot.String()), 0o600)
}

// scanned makes a directory for each service, with a program in it that executes the command without a
// shell.
func scanned(dir string, n int, command []string) error {
	for i := range n {
		service := fmt.Sprintf("%s/s%d", dir, i)
		if err := os.Mkdir(service, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(service+"/run", []byte("#!"+strings.Join(command, " ")+"\n"), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func s6(dir string, n int, command []string) ([]string, error) {
	return []string{"s6-svscan", "-c", fmt.Sprint(n + 10), dir}, scanned(dir, n, command)
}

func runit(dir string, n int, command []string) ([]string, error) {
	return []string{"runsvdir", dir}, scanned(dir, n, command)
}

// supervisord has one program that runs n times, without pipes for its output as far as it can.
func supervisord(dir string, n int, command []string) ([]string, error) {
	text := fmt.Sprintf(`[supervisord]
nodaemon=true
user=root
logfile=/dev/null
logfile_maxbytes=0
pidfile=%[1]s/pid
minfds=%[2]d
[program:s]
command=%[3]s
process_name=s%%(process_num)d
numprocs=%[4]d
startsecs=0
redirect_stderr=true
stdout_logfile=NONE
`, dir, 3*n+100, strings.Join(command, " "), n)
	file := dir + "/supervisord.conf"
	return []string{"supervisord", "--nodaemon", "--silent", "--configuration", file}, os.WriteFile(file, []byte(text), 0o600)
}

// pebble finds its layer below the directory that its environment names.
func pebble(dir string, n int, command []string) ([]string, error) {
	var text strings.Builder
	text.WriteString("services:\n")
	for i := range n {
		fmt.Fprintf(&text, "  s%d: {override: replace, startup: enabled, command: %s}\n", i, strings.Join(command, " "))
	}
	err := errors.Join(os.Mkdir(dir+"/layers", 0o755), os.WriteFile(dir+"/layers/001-bench.yaml", []byte(text.String()), 0o600))
	return []string{"env", "PEBBLE=" + dir, "pebble", "run"}, err
}

// fifo makes a FIFO into which sleepers announce themselves.
func (l *lab) fifo() (*os.File, error) {
	dir, err := os.MkdirTemp(l.dir, "fifo")
	if err != nil {
		return nil, err
	}
	if err := syscall.Mkfifo(dir+"/fifo", 0o666); err != nil {
		return nil, err
	}
	return os.OpenFile(dir+"/fifo", os.O_RDWR, 0) // for writing too, so that it does not end before the first sleeper comes
}

// heard reads n bytes from a FIFO.
func heard(fifo *os.File, n int, limit time.Duration) error {
	if err := fifo.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for all := n; n > 0; {
		got, err := fifo.Read(buf[:min(n, len(buf))])
		if err != nil {
			return fmt.Errorf("only %d of %d processes have begun: %w", all-n, all, err)
		}
		n -= got
	}
	return nil
}

// thousands returns a number with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

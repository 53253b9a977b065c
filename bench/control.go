package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/control"
)

// way is one way to run a command.
type way struct {
	name string
	// run returns when the command was started and when nothing of it was left. Started is zero for a
	// way that cannot tell.
	run func() (started, over time.Time, err error)
}

// runs measures how long it takes to run /bin/true in a running container: over the control socket,
// by cginitctl, by docker exec, and by a loop that only makes a cgroup, spawns into it, waits and
// removes it.
func runs(l *lab) ([]*figure, error) {
	var ways []way
	if l.own != "" {
		ways = append(ways, way{"a bare loop", func() (_, _ time.Time, err error) { return l.runBare() }})
	}
	for _, in := range []struct {
		name, program string
		noCgroups     bool
	}{
		{"the control socket, level cgroup", l.cginit, false},
		{"the control socket, level cgroup, " + before, l.before, false},
		{"the control socket, level tree", l.cginit, true},
	} {
		if in.program == "" {
			continue
		}
		socket := filepath.Join(l.dir, fmt.Sprintf("socket%d", len(ways)))
		c, end, err := l.serve(in.program, socket, inside{first: true, noCgroups: in.noCgroups})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", in.name, err)
		}
		defer end()
		ways = append(ways, way{in.name, func() (_, _ time.Time, err error) { return runOver(c) }})
		if ctl := filepath.Join(filepath.Dir(in.program), "cginitctl"); in.program == l.cginit && !in.noCgroups {
			ways = append(ways, command("cginitctl run", ctl, "--socket", socket, "run", "--", "/bin/true"))
		}
	}
	if container, end, err := runContainer(); err == nil {
		defer end()
		ways = append(ways, command("docker exec", "docker", "exec", container, "/bin/busybox", "true"))
	}
	return []*figure{compare(l, ways)}, nil
}

// compare measures the ways in turn.
func compare(l *lab, ways []way) *figure {
	var who []string
	for _, w := range ways {
		who = append(who, w.name)
	}
	rows := l.interleave("runs", l.pick(100, 30), who, func(i int) ([]float64, error) {
		begin := time.Now()
		started, over, err := ways[i].run()
		first := none()
		if !started.IsZero() {
			first = ms(started.Sub(begin))
		}
		return []float64{first, ms(over.Sub(begin))}, err
	})
	f := &figure{
		Title: "`/bin/true` in a running container",
		Note:  "One after another, until it is started and until nothing of it is left. In brackets: times the first row.",
	}
	f.add([]column{
		{Name: "until started", Unit: "ms", Digits: 2, Reference: who[0]},
		{Name: "until nothing is left", Unit: "ms", Digits: 2, Reference: who[0]},
	}, rows)
	return f
}

// runBare runs /bin/true in a new cgroup.
func (l *lab) runBare() (started, over time.Time, err error) {
	dir, err := l.cgroup()
	if err != nil {
		return started, over, err
	}
	fd, err := syscall.Open(string(dir), syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return started, over, err
	}
	defer syscall.Close(fd)
	p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{Sys: &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd}})
	if err != nil {
		return started, over, err
	}
	started = time.Now()
	if _, err := p.Wait(); err != nil {
		return started, over, err
	}
	err = dir.Remove()
	return started, time.Now(), err
}

// runOver runs /bin/true over the control socket.
func runOver(c *control.Client) (started, over time.Time, err error) {
	var p control.RunParams
	p.Process.Args = []string{"/bin/true"}
	lease, err := c.Run(context.Background(), p)
	if err != nil {
		return started, over, err
	}
	started = time.Now()
	last, err := lease.Wait()
	if err == nil && *last.ExitStatus != 0 {
		err = fmt.Errorf("/bin/true ended with status %d", *last.ExitStatus)
	}
	return started, time.Now(), err
}

// command returns a way that executes a program and cannot tell when its command has started.
func command(name string, argv ...string) way {
	return way{name, func() (_, over time.Time, err error) {
		err = exec.Command(argv[0], argv[1:]...).Run()
		return time.Time{}, time.Now(), err
	}}
}

// serve starts cginit as process 1 with one service that sleeps, and connects to it. End ends it.
func (l *lab) serve(cginit, socket string, in inside) (c *control.Client, end func(), err error) {
	file := socket + ".yaml"
	text := "socket: " + socket + "\nservices: {idle: {command: [sleep, '100000']}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, nil, err
	}
	w, err := l.enter([]string{cginit, "--config", file}, in, nil)
	if err != nil {
		return nil, nil, err
	}
	if c, err = control.Dial(context.Background(), socket, 10*time.Second); err != nil {
		w.end()
	}
	return c, w.end, err
}

// runContainer starts a Docker container that sleeps, made of this machine's static busybox. End
// removes it.
func runContainer() (name string, end func(), err error) {
	const image = "cginit-bench"
	script := `tar -C / -c bin/busybox | docker import - ` + image + ` >/dev/null &&
		docker run --detach --rm --network none ` + image + ` /bin/busybox sleep 100000`
	out, err := exec.Command("sh", "-c", script).Output()
	if err != nil || len(out) == 0 {
		return "", nil, fmt.Errorf("no container: %w", err)
	}
	name = string(out[:len(out)-1])
	return name, func() { _ = exec.Command("docker", "rm", "--force", name).Run() }, nil
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/priority"
	"golang.org/x/sys/unix"
)

// beside measures, while a bomb runs in one job of cginit, how long it takes until a signal has reached another
// job and until a list of the jobs is answered.
func (o *options) beside(cginit string) error {
	dir, err := os.MkdirTemp("", "bomb")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	socket, file := filepath.Join(dir, "socket"), filepath.Join(dir, "cginit.yaml")
	text := fmt.Sprintf("socket: %s\nstop_grace_period: 200ms\nservices:\n  bomb: {command: ['%s']}\n  other: {command: [%s, hear]}\n", socket, strings.Join(o.bomb(), "', '"), o.path)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	argv := strings.Fields(cginit)
	cmd := exec.Command(argv[0], append(argv[1:], "--config", file)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	defer o.tidy()
	c, err := control.Dial(context.Background(), socket, patience)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	heard, ready := make(chan time.Time, 16), make(chan bool, 1)
	go func() {
		for lines.Scan() {
			at, isHeard := strings.CutPrefix(lines.Text(), "heard ")
			if ns, err := strconv.ParseInt(at, 10, 64); isHeard && err == nil {
				heard <- time.Unix(0, ns)
			} else if strings.HasSuffix(lines.Text(), "ready") {
				ready <- true
			}
		}
	}()
	<-ready
	nap(o.settle)
	priority.ClaimAll() // the answers must not wait for the bomb in this program
	var signals, lists []time.Duration
	for range o.runs {
		since := time.Now()
		if _, err := c.Signal(context.Background(), control.SignalParams{Jobs: []string{"other"}, Signal: "USR1"}); err != nil {
			return err
		}
		select {
		case at := <-heard:
			signals = append(signals, at.Sub(since))
		case <-time.After(patience):
			return errors.New("the signal was not heard")
		}
		since = time.Now()
		if _, err := c.List(context.Background(), control.ListParams{}); err != nil {
			return err
		}
		lists = append(lists, time.Since(since))
		nap(20 * time.Millisecond)
	}
	since := time.Now()
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		return err
	}
	_ = cmd.Wait()
	fmt.Printf("%d alive, sessions %t, %d runs: a signal to another job and its handler: median %v, worst %v; a list of the jobs: median %v, worst %v; SIGTERM to the end %v\n",
		o.n, o.sessions, o.runs, middle(signals), slices.Max(signals), middle(lists), slices.Max(lists), time.Since(since))
	return nil
}

func middle(d []time.Duration) time.Duration { return slices.Sorted(slices.Values(d))[len(d)/2] }

// hear is the program of the other job. It says when it has heard a signal.
func hear() error {
	heard := make(chan os.Signal, 16)
	signal.Notify(heard, syscall.SIGUSR1)
	priority.ClaimAll()
	for range heard {
		fmt.Printf("heard %d\n", time.Now().UnixNano())
	}
	return nil
}

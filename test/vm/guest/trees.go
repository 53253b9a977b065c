package main

import (
	"bufio"
	"io"
)

// kinds are the kinds of trees that outlive a careless stop, first those that outlive it everywhere, and
// then those that are hard to see or to end. Their processes other than the main process ignore signals.
var kinds = []string{
	"setsid", "daemon", "deaf", "bomb",
	"headless", "headless-main", "traced", "no-exit-signal", "clone-parent", "vfork", "inner-pidns", "inner-userns",
	"inner-cgroupns", "memfd", "no-argv", "threaded", "page-fault", "sqpoll",
}

// trees returns two scenarios for each kind: in the box the main process ends by itself, and outside
// cginit is asked to stop.
func trees() (all []scenario) {
	for _, kind := range kinds {
		all = append(all,
			scenario{"box-" + kind, false, func(b *box) error {
				main, err := b.grow(kind)
				if err != nil {
					return err
				}
				if err := main.Close(); err != nil { // the main process ends with its standard input
					return err
				}
				return b.wait()
			}},
			scenario{"root-" + kind, true, func(b *box) error {
				main, err := b.grow(kind)
				if err != nil {
					return err
				}
				defer main.Close()
				return b.stop()
			}})
	}
	return append(all, scenario{"root-killed", true, rootKilled})
}

// grow starts a tree of five, waits until it is complete, and returns its standard input.
func (b *box) grow(kind string, flags ...string) (io.Closer, error) {
	grace := "1s"
	if kind == "setsid" || kind == "daemon" { // they end when asked, however slow the machine is
		grace = "20s"
	}
	b.prepare(append(flags, "--stop-grace-period="+grace, "--", "trees", kind, "5", "--exit=3")...)
	stdin, err := b.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.launch(); err != nil {
		return nil, err
	}
	_, err = bufio.NewReader(stdout).ReadString('\n')
	return stdin, err
}

// rootKilled kills the supervisor by SIGKILL, the one signal that it cannot catch.
func rootKilled(b *box) error {
	main, err := b.grow("daemon")
	if err != nil {
		return err
	}
	defer main.Close()
	return b.killed()
}

// killed kills the supervisor and waits until its guardian has cleaned up.
func (b *box) killed() error {
	if err := b.cmd.Process.Kill(); err != nil {
		return err
	}
	if err := b.wait(); err != nil {
		return err
	}
	return until("the guardian has cleaned up", func() bool { return len(b.below()) == 0 })
}

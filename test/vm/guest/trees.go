package main

import (
	"bufio"
	"io"
)

// trees has the families that outlive a careless stop, each twice: in the box the main
// process ends by itself, outside cginit is asked to stop.
func trees() (all []scenario) {
	for _, kind := range []string{"setsid", "daemon", "deaf", "bomb"} {
		all = append(all,
			scenario{"box-" + kind, false, func(b *box) error {
				main, err := b.grow(kind)
				if err != nil {
					return err
				}
				if err := main.Close(); err != nil { // it ends with its standard input
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

// grow starts a tree of five, waits until it is complete and gives its standard input.
func (b *box) grow(kind string, flags ...string) (io.Closer, error) {
	grace := "1s"
	if kind == "setsid" || kind == "daemon" { // they leave when they are asked, however slow the machine
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

// rootKilled takes the supervisor away with the one signal that it cannot see.
func rootKilled(b *box) error {
	main, err := b.grow("daemon")
	if err != nil {
		return err
	}
	defer main.Close()
	return b.killed()
}

// killed kills the supervisor and waits for what its guardian does then.
func (b *box) killed() error {
	if err := b.cmd.Process.Kill(); err != nil {
		return err
	}
	if err := b.wait(); err != nil {
		return err
	}
	return until("the guardian has cleaned up", func() bool { return len(b.below()) == 0 })
}

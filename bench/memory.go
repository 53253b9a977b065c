package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// memory prints how much memory an init holds while its command sleeps: its private pages that were
// written to, and its resident pages.
func memory(cginit, floor string) error {
	fmt.Println("\n### Memory with one sleeping command\n\n| init | private dirty kB | resident kB |\n| --- | --- | --- |")
	for _, s := range subjects(cginit, floor)[1:] {
		private, resident, err := idle(s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Printf("| %s | %d | %d |\n", s.name, private, resident)
	}
	return nil
}

// idle starts s with a command that says when it runs, and returns the memory that s then holds, in kB.
// s is process 1 of a PID namespace, as in a container, so that cginit has no guardian.
func idle(s subject) (private, resident int, err error) {
	argv := append(s.prefix, "/bin/sh", "-c", "echo ready; exec sleep 1000")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return 0, 0, err
	}
	<-time.After(time.Second) // the work that the start has begun must be over
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	field := func(key string) int {
		_, rest, _ := strings.Cut(string(data), "\n"+key+":")
		n, _ := strconv.Atoi(strings.Fields(rest)[0])
		return n
	}
	return field("Private_Dirty"), field("Rss"), nil
}

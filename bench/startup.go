package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// startUp measures the time from the fork of an init that runs /bin/true to the end of the init. It
// measures it where the init is not process 1, so that cginit needs a guardian, and where it is
// process 1, as in a container.
func startUp(cginit, floor string) error {
	for _, in := range []struct {
		name  string
		flags uintptr
		enter func() error
	}{
		{"not process 1, with a cgroup", 0, nil},
		{"process 1, with a cgroup", unix.CLONE_NEWPID, nil},
		{"process 1, without a cgroup", unix.CLONE_NEWPID, hideCgroups},
	} {
		done := make(chan error)
		go func() {
			runtime.LockOSThread() // never unlocked, so that the thread and its mount namespace end with the goroutine
			if in.enter != nil {
				if err := in.enter(); err != nil {
					done <- err
					return
				}
			}
			done <- startUpIn(in.name, in.flags, subjects(cginit, floor))
		}()
		if err := <-done; err != nil {
			return err
		}
	}
	return nil
}

// startUpIn measures all subjects in turn and prints a table.
func startUpIn(name string, flags uintptr, all []subject) error {
	const rounds = 300
	times := make([][]time.Duration, len(all))
	for range rounds {
		for i, s := range all {
			argv := append(slices.Clone(s.prefix), "/bin/true")
			cmd := exec.Command(argv[0], argv[1:]...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
			begin := time.Now()
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			times[i] = append(times[i], time.Since(begin))
		}
	}
	fmt.Printf("\n### Start and end of `/bin/true`, %s, %d runs each\n\n", name, rounds)
	fmt.Println("| under | median ms | least ms | median / tini's |\n| --- | --- | --- | --- |")
	reference := median(times[min(1, len(times)-1)])
	for i, s := range all {
		fmt.Printf("| %s | %.2f | %.2f | %.2f |\n", s.name, ms(median(times[i])), ms(slices.Min(times[i])),
			float64(median(times[i]))/float64(reference))
	}
	return nil
}

// hideCgroups gives this thread, and the processes that it starts, a mount namespace without cgroups.
func hideCgroups() error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	return unix.Unmount("/sys/fs/cgroup", unix.MNT_DETACH)
}

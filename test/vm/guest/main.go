// Command guest is the VM's /init. It boots into cgroup v2 alone, runs the scenarios and writes what it
// saw to a serial port, one JSON object a line. It judges nothing: the test at the other end of the port
// does.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

const cgroupRoot = "/sys/fs/cgroup"

func main() {
	log.SetFlags(0)
	log.SetPrefix("guest: ")
	role := append(os.Args[1:], "init")
	var err error
	switch role[0] {
	case "init":
		err = boot()
	case "suite":
		err = suite()
	case "box":
		err = enterBox(os.Args[2:])
	case "thread":
		err = writeByThread(os.Args[2])
	case "hog":
		err = hog(os.Args[2])
	}
	if err != nil {
		log.Fatal(err)
	}
}

// boot sets up the system and starts a child that runs the scenarios. Their orphans become children of
// this process, which reaps them. At the end it executes cginit, which is the VM's process 1 in the
// last scenario.
func boot() error {
	for _, m := range []struct{ fs, dir, options string }{
		{"proc", "/proc", ""},
		{"sysfs", "/sys", ""},
		{"devtmpfs", "/dev", ""},
		// systemd mounts it with these options. Only nsdelegate keeps a container from changing its own
		// limits.
		{"cgroup2", cgroupRoot, "nsdelegate,memory_recursiveprot"},
	} {
		if err := syscall.Mount(m.fs, m.dir, m.fs, 0, m.options); err != nil {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	if err := command("/bin/busybox", "--install", "-s", "/bin").Run(); err != nil {
		return err
	}
	// The names are in the order in which the modules need each other.
	if err := sh("for module in /modules/*.ko; do [ ! -e $module ] || insmod $module; done"); err != nil {
		return err
	}
	suite := command("/init", "suite")
	if parts := os.Getenv("bench"); parts != "" {
		var err error
		if suite, err = bench(parts); err != nil {
			return err
		}
	}
	if err := suite.Start(); err != nil {
		return err
	}
	for pid := 0; pid != suite.Process.Pid; {
		var err error
		if pid, err = syscall.Wait4(-1, nil, 0, nil); err != nil && err != syscall.EINTR {
			return err
		}
	}
	last := []string{"cginit", "--stop-grace-period=500ms", "--report=" + port, "--", "sh", "-c", "exec trees deaf 3 --exit=7 </dev/null"}
	return syscall.Exec("/bin/cginit", last, os.Environ())
}

func command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

// hog allocates and fills this number of megabytes and keeps them.
func hog(megabytes string) error {
	n, err := strconv.Atoi(megabytes)
	if err != nil {
		return err
	}
	for range n {
		_, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE,
			syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_POPULATE)
		if err != nil {
			return err
		}
	}
	return syscall.Pause()
}

package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Dir is one cgroup: the path of its directory. The path leads through /proc/self/fd if the
// hierarchy is mounted for this process alone (see [Private]).
type Dir string

// Make creates the child cgroup name and returns it. It fails with fs.ErrExist if the child exists.
// A cgroup that has been killed is never used again: Linux 6.14 to 7.2 kill every process that is
// cloned into one (fixed by kernel commit 8e3599202166).
func (d Dir) Make(name string) (Dir, error) {
	child := Dir(filepath.Join(string(d), name))
	if err := os.Mkdir(string(child), 0o755); err != nil {
		return "", err
	}
	return child, nil
}

// Remove removes the cgroup and all cgroups below it, the deepest first. It fails with EBUSY while a
// process lives in one of them; zombies do not count. It returns nil if the cgroup does not exist.
func (d Dir) Remove() error {
	err := unix.Rmdir(string(d))
	if errors.Is(err, unix.ENOENT) || err == nil {
		return nil
	}
	for _, child := range d.children() {
		if err := child.Remove(); err != nil {
			return err
		}
	}
	err = unix.Rmdir(string(d))
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return &fs.PathError{Op: "rmdir", Path: string(d), Err: err}
	}
	return nil
}

// Procs returns the pids of the processes in the cgroup and in all cgroups below it. Zombies are
// not listed, and neither are processes outside of the caller's PID namespace.
func (d Dir) Procs() ([]int, error) {
	pids, err := d.ownProcs()
	if err != nil {
		return nil, err
	}
	for _, child := range d.children() {
		// A child that was removed in the meantime has no processes.
		more, err := child.Procs()
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
			return nil, err
		}
		pids = append(pids, more...)
	}
	return pids, nil
}

// ownProcs returns the pids of the processes in the cgroup itself.
func (d Dir) ownProcs() ([]int, error) {
	data, err := d.read("cgroup.procs")
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil // a threaded cgroup: its processes are listed in the domain above it
	}
	if err != nil {
		return nil, err
	}
	var pids []int
	for field := range bytes.FieldsSeq(data) {
		if pid, err := strconv.Atoi(string(field)); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// Add moves a process with all of its threads into the cgroup. Pid 0 is the caller.
func (d Dir) Add(pid int) error {
	return d.write("cgroup.procs", strconv.Itoa(pid))
}

// OpenJoin opens cgroup.procs for writing. A process that writes 0 into it joins the cgroup.
func (d Dir) OpenJoin() (*os.File, error) {
	return os.OpenFile(filepath.Join(string(d), "cgroup.procs"), os.O_WRONLY, 0)
}

// children returns the cgroups directly below d; nil if they cannot be listed.
func (d Dir) children() []Dir {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil
	}
	var dirs []Dir
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, Dir(filepath.Join(string(d), e.Name())))
		}
	}
	return dirs
}

func (d Dir) has(file string) bool {
	_, err := os.Stat(filepath.Join(string(d), file))
	return err == nil
}

// read returns the whole content of a file of the cgroup.
func (d Dir) read(file string) ([]byte, error) { return readFile(filepath.Join(string(d), file), 512) }

// readFile returns the whole content of a file, for which it first takes a buffer of size bytes. [os.ReadFile]
// takes twice as many system calls, since it registers the file with the runtime's poller, and each run reads
// many files.
func readFile(path string, size int) ([]byte, error) {
	fd, err := openFile(path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	data := make([]byte, 0, size)
	for {
		n, err := retry(func() (int, error) { return unix.Read(fd, data[len(data):cap(data)]) })
		if err != nil {
			return nil, &os.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			return data, nil
		}
		data = slices.Grow(data[:len(data)+n], size)
	}
}

// open opens a file. The caller closes the descriptor.
func (d Dir) open(file string, flags int) (int, error) { return openFile(string(d)+"/"+file, flags) }

func openFile(path string, flags int) (int, error) {
	fd, err := retry(func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0) })
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// retry makes a system call again for as long as a signal interrupts it.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// write writes one value into a file. It does not pass O_CREAT: with it cgroupfs answers EACCES for a
// missing file, which would hide that the kernel does not have the file.
func (d Dir) write(file, value string) error {
	f, err := os.OpenFile(filepath.Join(string(d), file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteString(value); err != nil {
		return fmt.Errorf("cannot write %q: %w", strings.TrimSpace(value), err)
	}
	return nil
}

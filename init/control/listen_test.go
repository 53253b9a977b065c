package control_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/control/controltest"
	"github.com/cginit/cginit/internal/afresh"
	"golang.org/x/sys/unix"
)

// TestMain runs the tests, or one call if this process is the client of another user.
func TestMain(m *testing.M) {
	if socket := os.Getenv("CONTROL_TEST_CALL"); socket != "" {
		os.Exit(callOnce(socket))
	}
	os.Exit(afresh.Main(m))
}

// callOnce makes a call and prints the answer. A process of another user runs it.
func callOnce(socket string) int {
	c, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Fprint(c, list)
	var b [4096]byte
	n, err := c.Read(b[:])
	fmt.Println(strings.Trim(string(b[:n]), "\x00"), err)
	return 0
}

// TestSocketMode: others can open the socket only if the configuration names some, whatever the umask.
func TestSocketMode(t *testing.T) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	for _, test := range []struct {
		config control.Config
		mode   os.FileMode
	}{
		{control.Config{}, 0o600},
		{control.Config{UIDs: []uint32{7}}, 0o666},
		{control.Config{GIDs: []uint32{7}}, 0o666},
	} {
		info, err := os.Stat(controltest.StartWith(t, test.config))
		if err != nil || info.Mode().Perm() != test.mode {
			t.Errorf("with %+v the socket is %v, %v", test.config, info.Mode(), err)
		}
	}
}

// TestStaleSocket: the socket of a supervisor that has ended is replaced, that of a live one is not.
func TestStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_, err = control.Listen(control.Config{Path: path})
	if err == nil || !strings.Contains(err.Error(), "another supervisor answers") {
		t.Errorf("beside a live server: %v", err)
	}
	l.Close()
	s, err := control.Listen(control.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket still exists after Close")
	}
}

// TestListenSaysWhatToDo: an error of Listen is one line that says what is wrong and what to do.
func TestListenSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"":                                   "needs the name of a file",
		"@abstract":                          "needs the name of a file",
		dir + "/none/s":                      "there is no directory " + dir + "/none; make it",
		file:                                 "no socket; remove it",
		file + "/s":                          "there is no directory",
		dir + "/" + strings.Repeat("s", 110): "longer than the 107 bytes",
		"/proc/s":                            "there is no directory",
	} {
		s, err := control.Listen(control.Config{Path: path})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", path, err)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != "precious" {
		t.Errorf("the file is now %q", text)
	}
}

// TestPermissions calls as other users.
func TestPermissions(t *testing.T) {
	needRoot(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		config control.Config
		as     syscall.Credential
		want   string
	}{
		{"a stranger", control.Config{}, syscall.Credential{Uid: 4711, Gid: 4711}, "permission denied"},
		{
			"a stranger who can open the socket",
			control.Config{UIDs: []uint32{1}, GIDs: []uint32{1}},
			syscall.Credential{Uid: 4711, Gid: 4711},
			"io.cginit.NotPermitted",
		},
		{"the uid", control.Config{UIDs: []uint32{4711}}, syscall.Credential{Uid: 4711, Gid: 4712}, `"jobs"`},
		{"the group", control.Config{GIDs: []uint32{4712}}, syscall.Credential{Uid: 4711, Gid: 4712}, `"jobs"`},
		{
			"one of its groups",
			control.Config{GIDs: []uint32{4799}},
			syscall.Credential{Uid: 4711, Gid: 4711, Groups: groups(200)},
			`"jobs"`,
		},
		{"root", control.Config{}, syscall.Credential{}, `"jobs"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := openDir(t)
			test.config.Path = dir + "/s"
			controltest.StartWith(t, test.config)
			program := dir + "/program"
			data, err := os.ReadFile(self)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(program, data, 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program)
			cmd.Env = []string{"CONTROL_TEST_CALL=" + test.config.Path, "GORACE=" + os.Getenv("GORACE")}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &test.as}
			out, _ := cmd.CombinedOutput()
			if !strings.Contains(string(out), test.want) {
				t.Errorf("the answer is %s", out)
			}
		})
	}
}

// groups returns n groups, from 4600 on.
func groups(n uint32) (g []uint32) {
	for i := range n {
		g = append(g, 4600+i)
	}
	return g
}

// TestStrangersAreFew: users who may not call cannot keep out those who may.
func TestStrangersAreFew(t *testing.T) {
	needRoot(t)
	socket := controltest.StartWith(t, control.Config{Path: openDir(t) + "/s", UIDs: []uint32{1}})
	refused := 0
	var silent []net.Conn
	as(t, 4711, func() error {
		for range 200 {
			c, err := net.Dial("unix", socket)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprint(c, list)
			message, _ := bufio.NewReader(c).ReadString(0)
			if strings.Contains(message, "io.cginit.NotPermitted") {
				refused++
			}
			c.Close()
		}
		for range 200 {
			c, err := net.Dial("unix", socket)
			if err != nil {
				return err
			}
			silent = append(silent, c)
		}
		return nil
	})
	if refused != 200 {
		t.Errorf("%d of 200 strangers were told why they may not call", refused)
	}
	answers(t, socket)
	turnedAway := 0
	for _, c := range silent {
		if strings.Contains(unread(c.(*net.UnixConn)), "io.cginit.Busy") {
			turnedAway++
		}
		c.Close()
	}
	if turnedAway < 200-64 {
		t.Errorf("%d of 200 silent strangers were turned away", turnedAway)
	}
}

// needRoot skips a test unless root runs it. In CI it fails the test instead.
func needRoot(t *testing.T) {
	switch {
	case os.Getuid() == 0:
	case os.Getenv("CI") == "true":
		t.Fatal("calling as another user needs root")
	default:
		t.Skip("calling as another user needs root")
	}
}

// openDir makes a directory that every user may enter.
func openDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// as calls do with the effective uid of another user, which is the one that the kernel records of a
// peer. Only one thread gets that uid. connect(2) is called on the thread of the goroutine.
func as(t *testing.T, uid int, do func() error) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked, so that the thread ends
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(uid), ^uintptr(0)); errno != 0 {
			done <- errno
			return
		}
		done <- do()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

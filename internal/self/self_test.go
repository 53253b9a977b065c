package self

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestRole checks that arguments tell the role for which they were made, whatever is in argv[0], and no other.
func TestRole(t *testing.T) {
	roles := []Role{Exec, Probe, Holder, Guardian, Remover, Detached}
	for _, made := range roles {
		args := made.Args("a", "--self-exec")
		if args[0] != "cginit-"+string(made) {
			t.Errorf("%s is called %s", made, args[0])
		}
		args[0] = "/proc/self/exe"
		for _, asked := range roles {
			rest, is := asked.Is(args)
			if is != (asked == made) || is && !slices.Equal(rest, []string{"a", "--self-exec"}) {
				t.Errorf("%v is %s: %v, %v", args, asked, is, rest)
			}
		}
	}
	for _, args := range [][]string{nil, {}, {"--self-exec"}, {"cginit", "self-exec"}, {"cginit", "--", "--self-exec"}} {
		if _, is := Exec.Is(args); is {
			t.Errorf("%q are an exec helper's", args)
		}
	}
}

// TestNotEmulated checks what is said where no emulator runs us, as in these tests.
func TestNotEmulated(t *testing.T) {
	if e := Emulator(); e != "" {
		t.Skipf("SKIPPED: emulated by %s", e)
	}
	if Exe() != "/proc/self/exe" {
		t.Errorf("our binary is %s", Exe())
	}
	err := fmt.Errorf("cannot: %w", syscall.ENOEXEC)
	if Explain(err) != err {
		t.Error("an error is explained by an emulator that there is not")
	}
}

// TestUnregistered checks what is said of an emulator that the kernel does not know.
func TestUnregistered(t *testing.T) {
	err := error(&unregistered{"qemu-arm", &os.PathError{Op: "exec", Path: "x", Err: syscall.ENOEXEC}})
	if !errors.Is(err, syscall.ENOEXEC) || !strings.Contains(err.Error(), "register the emulator with binfmt_misc") {
		t.Error(err)
	}
}

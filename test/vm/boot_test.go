package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long the whole VM may run. Emulated, all scenarios take a minute or two on an
// otherwise idle machine.
const patience = 10 * time.Minute

// boot runs the VM once and returns the output of its console and of its port for results. Files are the
// programs in the VM, by path. Arguments that the kernel does not know, such as PATH, become the environment
// of its process 1.
func boot(t testing.TB, m machine, files map[string]string, args ...string) (console, results string) {
	stock := debian(t, m)
	dir := t.TempDir()
	initrd, port := filepath.Join(dir, "initrd"), filepath.Join(dir, "results")
	files["init"], files["brd.ko"], files["bin/busybox"] = guest(t, m, dir), stock["brd.ko"], stock["busybox"]
	files["bin/tini"] = stock["tini-static"]
	for i, name := range m.modules {
		files[fmt.Sprintf("modules/%d-%s", i, name)] = stock[name]
	}
	if err := os.WriteFile(initrd, archive(t, files), 0o600); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"console=" + m.console, "panic=-1", "quiet", "PATH=/bin", "port=" + m.port}, args...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.qemu, slices.Concat(m.flags, []string{
		"-accel", "tcg", "-smp", "2", "-m", "768", "-nodefaults", "-nographic", "-no-reboot",
		"-serial", "stdio", "-chardev", "file,id=results,path=" + port,
		"-kernel", stock["vmlinuz"], "-initrd", initrd, "-append", strings.Join(args, " "),
	})...)
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	t.Logf("the VM (%s) ran for %.0f s", m.arch, time.Since(begun).Seconds())
	if err != nil {
		t.Errorf("qemu: %v", errors.Join(err, ctx.Err()))
	}
	said, err := os.ReadFile(port)
	if err != nil {
		t.Fatalf("%v; the console:\n%s", err, out)
	}
	return string(out), string(said)
}

// guest builds the program that is the VM's /init.
func guest(t testing.TB, m machine, dir string) string {
	bin := filepath.Join(dir, "guest")
	cmd := exec.Command("go", "build", "-o", bin, "./guest")
	cmd.Env = m.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the guest: %v\n%s", err, out)
	}
	return bin
}

// archive makes an initrd, which is a cpio archive in the format newc.
func archive(t testing.TB, files map[string]string) []byte {
	var out bytes.Buffer
	add := func(name string, mode int, data []byte) {
		fmt.Fprintf(&out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
			out.Len()+1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name)
		out.Write(make([]byte, -out.Len()&3))
		out.Write(data)
		out.Write(make([]byte, -out.Len()&3))
	}
	for _, dir := range []string{"bin", "bin/bench", "bin/units", "dev", "modules", "proc", "sys", "tmp"} {
		add(dir, 0o40755, nil)
	}
	for name, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		add(name, 0o100755, data)
	}
	add("TRAILER!!!", 0, nil)
	return out.Bytes()
}

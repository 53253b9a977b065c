package vm

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/harness"
)

// patience is how long the whole VM may run. Emulated, all scenarios take a minute or two on an
// otherwise idle machine.
const patience = 10 * time.Minute

// boot runs the VM once and returns the output of its two serial ports.
func boot(t *testing.T) (console, results string) {
	qemu := harness.Command(t, "qemu-system-x86_64")
	kernel := kernelFiles(t)
	dir := t.TempDir()
	initrd, port := filepath.Join(dir, "initrd"), filepath.Join(dir, "results")
	files := map[string]string{
		"init": guest(t, dir), "brd.ko": kernel["brd.ko"],
		"bin/cginit": harness.Bin(t, "cginit"), "bin/trees": harness.Bin(t, "trees"),
		"bin/busybox": harness.Command(t, "busybox"),
	}
	if err := os.WriteFile(initrd, archive(t, files), 0o600); err != nil {
		t.Fatal(err)
	}
	// The guest runs only the scenarios that the test will look at. Arguments that the kernel does not
	// know, such as only and PATH, become the environment of its process 1.
	_, only, _ := strings.Cut(flag.Lookup("test.run").Value.String(), "/")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, qemu, "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "768",
		"-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio", "-serial", "file:"+port,
		"-kernel", kernel["vmlinuz"], "-initrd", initrd, "-append", "console=ttyS0 panic=-1 quiet PATH=/bin only="+only)
	out, err := cmd.CombinedOutput()
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
func guest(t *testing.T, dir string) string {
	bin := filepath.Join(dir, "guest")
	cmd := exec.Command("go", "build", "-o", bin, "./guest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the guest: %v\n%s", err, out)
	}
	return bin
}

// kernelFiles unpacks the files that the VM needs of Debian's cloud kernel. The kernel is downloaded
// once.
func kernelFiles(t *testing.T) map[string]string {
	const cache = "cache"
	pattern := cache + "/linux-image-*.deb"
	found, _ := filepath.Glob(pattern)
	if len(found) == 0 {
		if err := download(cache); err != nil {
			harness.Missing(t, "Debian's cloud kernel ("+err.Error()+")")
		}
		found, _ = filepath.Glob(pattern)
	}
	files, dir := map[string]string{}, t.TempDir()
	unpack(t, harness.Command(t, "dpkg-deb"), found[0], func(name string, content io.Reader) {
		base := path.Base(name)
		if strings.HasPrefix(base, "vmlinuz-") {
			base = "vmlinuz"
		}
		if base != "vmlinuz" && base != "brd.ko" {
			return
		}
		data, err := io.ReadAll(content)
		files[base] = filepath.Join(dir, base)
		if err = errors.Join(err, os.WriteFile(files[base], data, 0o600)); err != nil {
			t.Fatal(err)
		}
	})
	return files
}

// download downloads the package that linux-image-cloud-amd64 depends on.
func download(cache string) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	script := `set -e
		name=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p')
		apt-get download "${name:?no such package}"`
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = cache
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

func unpack(t *testing.T, dpkg, deb string, each func(name string, content io.Reader)) {
	cmd := exec.Command(dpkg, "--fsys-tarfile", deb)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	for files := tar.NewReader(out); err == nil; {
		var header *tar.Header
		if header, err = files.Next(); err == nil {
			each(header.Name, files)
		}
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// archive makes an initrd, which is a cpio archive in the format newc.
func archive(t *testing.T, files map[string]string) []byte {
	var out bytes.Buffer
	add := func(name string, mode int, data []byte) {
		fmt.Fprintf(&out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
			out.Len()+1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name)
		out.Write(make([]byte, -out.Len()&3))
		out.Write(data)
		out.Write(make([]byte, -out.Len()&3))
	}
	for _, dir := range []string{"bin", "dev", "proc", "sys", "tmp"} {
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

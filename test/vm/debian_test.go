package vm

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
)

// debian returns the files that the VM needs of Debian's packages, by name: the kernel as vmlinuz, its
// modules, busybox and tini. The packages are downloaded once.
func debian(t testing.TB, m machine) map[string]string {
	cache := filepath.Join("cache", m.arch)
	packages, _ := filepath.Glob(cache + "/*.deb")
	if len(packages) == 0 {
		if err := download(cache, m); err != nil {
			harness.Missing(t, "Debian's kernel for "+m.arch+" ("+err.Error()+")")
		}
		packages, _ = filepath.Glob(cache + "/*.deb")
	}
	needed := append([]string{"vmlinuz", "busybox", "tini-static", "brd.ko"}, m.modules...)
	files, dir := map[string]string{}, t.TempDir()
	for _, deb := range packages {
		unpack(t, harness.Command(t, "dpkg-deb"), deb, func(name string, content io.Reader) {
			base := path.Base(name)
			switch {
			case strings.HasPrefix(name, "./boot/vmlinuz-"):
				base = "vmlinuz"
			case name != "./bin/busybox" && name != "./usr/bin/tini-static" && path.Ext(name) != ".ko":
				return
			}
			if !slices.Contains(needed, base) {
				return
			}
			data, err := io.ReadAll(content)
			files[base] = filepath.Join(dir, base)
			if err = errors.Join(err, os.WriteFile(files[base], data, 0o600)); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, name := range needed {
		if files[name] == "" {
			t.Fatalf("no %s in %s", name, packages)
		}
	}
	return files
}

// download downloads the packages, all or none. apt gets directories of its own, so that it does not matter which
// architectures this machine has, and so that nothing of it changes.
func download(cache string, m machine) error {
	script := `set -e
		mkdir -p "$1/lists/partial"
		: >"$1/installed"
		set -- "$2" -qq -o APT::Architecture="$3" -o APT::Architectures="$3" -o APT::Sandbox::User=root \
			-o Dir::State::lists="$1/lists" -o Dir::State::status="$1/installed" -o Dir::Cache="$1"
		meta=$1; shift
		apt-get "$@" update
		name=$(apt-cache "$@" depends "$meta" | sed -n 's/^ *Depends: //p')
		apt-get "$@" download "${name:?no such package}" busybox-static tini
		mv ./*.deb ..`
	dir, err := filepath.Abs(cache + "/apt")
	if err = errors.Join(err, os.MkdirAll(dir, 0o755)); err != nil {
		return err
	}
	cmd := exec.Command("sh", "-c", script, "sh", dir, m.kernel, m.arch)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

func unpack(t testing.TB, dpkg, deb string, each func(name string, content io.Reader)) {
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

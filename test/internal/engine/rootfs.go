package engine

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
)

// Busybox returns a function that writes a root file system of busybox and its applets, with the files
// that add adds. The suites make their own images, because none can be pulled where they run.
func Busybox(t testing.TB, add ...func(*tar.Writer) error) func(io.Writer) error {
	busybox := harness.Command(t, "busybox")
	applets := output(t, exec.Command(busybox, "--list"))
	return func(w io.Writer) error {
		tw := tar.NewWriter(w)
		if err := addTree(tw, busybox, "bin/busybox", nil); err != nil {
			return err
		}
		for name := range strings.Lines(applets) {
			link := &tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + strings.TrimSpace(name), Linkname: "/bin/busybox"}
			if filepath.Base(link.Name) == "busybox" {
				continue
			}
			if err := tw.WriteHeader(link); err != nil {
				return err
			}
		}
		tmp := &tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}
		if err := tw.WriteHeader(tmp); err != nil {
			return err
		}
		for _, more := range add {
			if err := more(tw); err != nil {
				return err
			}
		}
		return tw.Close()
	}
}

// ImportBase makes the image that most tests run in, with busybox and cginit.
func (e *Engine) ImportBase(t testing.TB) {
	t.Helper()
	cginit := harness.Bin(t, "cginit")
	e.Import(t, e.Image, []string{`ENTRYPOINT ["cginit"]`}, Busybox(t, func(tw *tar.Writer) error {
		return addTree(tw, cginit, "usr/bin/cginit", nil)
	}))
}

// ImportExample makes an image with the files that the images of the examples have.
func (e *Engine) ImportExample(t testing.TB, name string) {
	t.Helper()
	cginit, cginitctl := harness.Bin(t, "cginit"), harness.Bin(t, "cginitctl")
	e.Import(t, name, []string{"ENV PATH=/usr/bin:/bin"}, Busybox(t, func(tw *tar.Writer) error {
		return errors.Join(addTree(tw, cginit, "usr/bin/cginit", nil), addTree(tw, cginitctl, "usr/bin/cginitctl", nil))
	}))
}

// ImportGo makes an image that stands in for golang:1.26. It has this machine's toolchain and make, and the
// modules of go.mod, so that a build in it needs no network.
func (e *Engine) ImportGo(t testing.TB, name string) {
	t.Helper()
	goroot := output(t, exec.Command(harness.Command(t, "go"), "env", "GOROOT"))
	modules := modules(t)
	path := "ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	e.Import(t, name, []string{path, "ENV GOPATH=/go GOTOOLCHAIN=local"}, Busybox(t, func(tw *tar.Writer) error {
		for _, part := range []string{"VERSION", "go.env", "bin/go", "pkg/include", "pkg/tool", "src"} {
			err := addTree(tw, filepath.Join(goroot, part), "usr/local/go/"+part, func(path string) bool {
				return strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "/testdata") ||
					path == filepath.Join(goroot, "src/cmd")
			})
			if err != nil {
				return err
			}
		}
		for _, file := range withLibraries(t, harness.Command(t, "make")) {
			if err := addTree(tw, file, strings.TrimPrefix(file, "/"), nil); err != nil {
				return err
			}
		}
		return addTree(tw, modules, "go/pkg/mod", nil)
	}))
}

// withLibraries returns a program and the libraries that it needs, as ldd says.
func withLibraries(t testing.TB, program string) []string {
	t.Helper()
	files := []string{program}
	for word := range strings.FieldsSeq(output(t, exec.Command("ldd", program))) {
		if strings.HasPrefix(word, "/") {
			files = append(files, word)
		}
	}
	return files
}

// modules returns a module cache with only the modules that go.mod needs, copied from this machine's
// cache.
func modules(t testing.TB) string {
	t.Helper()
	cache := output(t, exec.Command("go", "env", "GOMODCACHE"))
	dir := t.TempDir()
	cmd := exec.Command("go", "mod", "download", "-modcacherw")
	cmd.Dir = harness.Root()
	cmd.Env = append(os.Environ(), "GOMODCACHE="+dir,
		"GOPROXY=file://"+filepath.Join(cache, "cache/download")+","+output(t, exec.Command("go", "env", "GOPROXY")))
	output(t, cmd)
	return dir
}

// addTree adds the file or directory at path under the name name, owned by root. It leaves out the
// paths for which skip returns true.
func addTree(tw *tar.Writer, path, name string, skip func(path string) bool) error {
	return filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if skip != nil && skip(at) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		header, err := tar.FileInfoHeader(info, "")
		if err != nil {
			return err
		}
		header.Name, header.Uid, header.Gid, header.Uname, header.Gname = name+strings.TrimPrefix(at, path), 0, 0, "", ""
		if err := tw.WriteHeader(header); err != nil || info.IsDir() {
			return err
		}
		return addContent(tw, at)
	})
}

func addContent(tw *tar.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(tw, file)
	return err
}

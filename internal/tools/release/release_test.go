package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/internal/release"
)

// TestParsePlatform checks which platforms there are, and what the archives for them are called.
func TestParsePlatform(t *testing.T) {
	for text, want := range map[string]string{
		"linux/amd64":   "cginit_VERSION_linux_amd64",
		"linux/arm/v6":  "cginit_VERSION_linux_armv6",
		"linux/arm/v7":  "cginit_VERSION_linux_armv7",
		"darwin/arm64":  "cginitctl_VERSION_darwin_arm64",
		"windows/amd64": "cginitctl_VERSION_windows_amd64",
		"linux/arm":     "",
		"linux/arm/v8":  "",
		"linux":         "",
		"linux/386/v7":  "",
	} {
		want = strings.Replace(want, "VERSION", release.Version, 1)
		p, err := parsePlatform(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%s: there is no error", text)
		case want != "" && (err != nil || p.name() != want):
			t.Errorf("%s: got %q, %v, want %q", text, p.name(), err, want)
		}
	}
}

// TestNotes checks which section of a changelog is taken.
func TestNotes(t *testing.T) {
	const changelog = "# Changelog\n\nwords\n\n## Unreleased\n\n### Added\n\n- new\n\n## [0.2.0] - 2026-12-01\n\n- two\n\n" +
		"## 0.1.0\n\n- one\n"
	for version, want := range map[string]string{
		"0.3.0": "## Unreleased\n\n### Added\n\n- new\n",
		"0.2.0": "## [0.2.0] - 2026-12-01\n\n- two\n",
		"0.1.0": "## 0.1.0\n\n- one\n",
	} {
		if got, err := notesOf(changelog, version); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", version, got, err, want)
		}
	}
	if _, err := notesOf("# Changelog\n\n## 0.1.0\n", "0.2.0"); err == nil {
		t.Error("a changelog without the version: there is no error")
	}
}

// TestReleaseDate checks SOURCE_DATE_EPOCH.
func TestReleaseDate(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	if date, err := releaseDate(); err != nil || !date.Equal(time.Unix(86400, 0)) {
		t.Errorf("got %v, %v", date, err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if _, err := releaseDate(); err == nil {
		t.Error("yesterday: there is no error")
	}
}

// TestWithoutTools checks that an SBOM keeps all but what made it.
func TestWithoutTools(t *testing.T) {
	const want = "{\n  \"components\": [\n    1\n  ],\n  \"metadata\": {\n    \"component\": 2\n  }\n}\n"
	got, err := withoutTools([]byte(`{"metadata":{"tools":[{"hashes":[]}],"component":2},"components":[1]}`))
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if _, err := withoutTools([]byte(`{}`)); err == nil {
		t.Error("no metadata: there is no error")
	}
}

// TestArchives checks what archives say of their files, and that the order of the files does not matter.
func TestArchives(t *testing.T) {
	date := time.Unix(1800000000, 0).UTC()
	one := []file{{"b", []byte("program"), 0o755}, {"a", []byte("text"), 0o644}}
	other := []file{one[1], one[0]}
	for _, p := range []platform{{os: "linux", arch: "amd64"}, {os: "windows", arch: "amd64"}} {
		name, data, err := p.archive(one, date)
		_, again, _ := p.archive(other, date)
		if err != nil || !bytes.Equal(data, again) {
			t.Fatalf("%s: %v, or the order of the files matters", name, err)
		}
		listed, err := list(name, data)
		want := p.name() + "/a -rw-r--r-- text\n" + p.name() + "/b -rwxr-xr-x program\n"
		if err != nil || listed != want {
			t.Errorf("%s: got %s, %v, want %s", name, listed, err, want)
		}
	}
}

// list returns a line for each file of an archive. The time must be that of TestArchives, the owner 0.
func list(name string, data []byte) (string, error) {
	var lines strings.Builder
	add := func(name string, mode os.FileMode, date time.Time, r io.Reader) error {
		content, err := io.ReadAll(r)
		if date.Unix() != 1800000000 {
			err = errors.New("the time is " + date.String())
		}
		lines.WriteString(name + " " + mode.String() + " " + string(content) + "\n")
		return err
	}
	if strings.HasSuffix(name, ".zip") {
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return "", err
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				return "", err
			}
			if err := add(f.Name, f.Mode(), f.Modified, r); err != nil {
				return "", err
			}
		}
		return lines.String(), nil
	}
	uncompressed, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	for r := tar.NewReader(uncompressed); ; {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return lines.String(), nil
		case err == nil && (h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != ""):
			err = errors.New("it belongs to somebody")
		case err == nil:
			err = add(h.Name, h.FileInfo().Mode(), h.ModTime, r)
		}
		if err != nil {
			return "", err
		}
	}
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/cginit/cginit/internal/release"
)

// platform is where programs run. The variant is empty except for arm.
type platform struct{ os, arch, variant string }

// parsePlatform parses a platform as containers write it, such as linux/arm/v7.
func parsePlatform(s string) (platform, error) {
	parts := strings.Split(s, "/")
	if len(parts) == 3 && parts[1] == "arm" && (parts[2] == "v6" || parts[2] == "v7") {
		return platform{parts[0], parts[1], parts[2]}, nil
	}
	if len(parts) != 2 || parts[1] == "arm" {
		return platform{}, fmt.Errorf("%q is not a platform such as linux/amd64 or linux/arm/v7", s)
	}
	return platform{parts[0], parts[1], ""}, nil
}

// programs returns the programs for the platform. Only cginitctl is for others than Linux.
func (p platform) programs() []string {
	switch p.os {
	case "linux":
		return []string{"cginit", "cginitctl"}
	case "windows":
		return []string{"cginitctl.exe"}
	}
	return []string{"cginitctl"}
}

// name returns the name of the archive without its ending, which is also the folder in it.
func (p platform) name() string {
	program := strings.TrimSuffix(p.programs()[0], ".exe")
	return fmt.Sprintf("%s_%s_%s_%s%s", program, release.Version, p.os, p.arch, p.variant)
}

// files builds the programs and returns what the archive consists of: the programs with their SBOMs, the
// license, README.md and the notes.
func (p platform) files(sbom, notes string) ([]file, error) {
	dir, err := os.MkdirTemp("", "release")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := p.build(dir); err != nil {
		return nil, err
	}
	files := []file{{"CHANGELOG.md", []byte(notes), 0o644}}
	add := func(path string, mode os.FileMode) error {
		data, err := os.ReadFile(path)
		files = append(files, file{filepath.Base(path), data, mode})
		return err
	}
	for _, path := range []string{"LICENSE", "README.md"} {
		if err := add(path, 0o644); err != nil {
			return nil, err
		}
	}
	for _, name := range p.programs() {
		program := filepath.Join(dir, name)
		if err := add(program, 0o755); err != nil {
			return nil, err
		}
		if sbom == "" {
			continue
		}
		described, err := describe(sbom, program)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name + ".cdx.json", described, 0o644})
	}
	return files, nil
}

// build calls "make build" for the platform. Variables of Go that change what is built have their defaults.
func (p platform) build(dir string) error {
	cmd := exec.Command("make", "--no-print-directory", "-s", "build", "BIN="+dir+"/")
	if p.os != "linux" {
		cmd.Args = append(cmd.Args, "PROGRAMS=./cmd/cginitctl")
	}
	cmd.Env = append(os.Environ(), "GOOS="+p.os, "GOARCH="+p.arch, "GOARM="+strings.TrimPrefix(p.variant, "v"),
		"GOENV=off", "GOFLAGS=", "GOEXPERIMENT=", "GOAMD64=", "GOARM64=", "GO386=", "GOPPC64=", "GORISCV64=")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

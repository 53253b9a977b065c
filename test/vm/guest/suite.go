package main

import (
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

type scenario struct {
	name string
	// At the VM's real root cginit is not process 1.
	outside bool
	run     func(*box) error
}

func scenarios() []scenario { return slices.Concat(trees(), limits, files, corners, platform, reports) }

// suite runs every scenario in a fresh box, even if earlier ones have failed. The kernel's command line
// can select scenarios.
func suite() error {
	if err := delegate(cgroupRoot, strings.Fields(read(cgroupRoot+"/cgroup.controllers"))...); err != nil {
		return err
	}
	only, err := regexp.Compile(os.Getenv("only"))
	if err != nil {
		return err
	}
	skipped := strings.Split(os.Getenv("skip"), ",")
	for _, s := range scenarios() {
		if !only.MatchString(s.name) || slices.Contains(skipped, s.name) {
			continue
		}
		b := &box{outside: s.outside, dir: filepath.Join(cgroupRoot, s.name), entry: []string{"cginit"}}
		b.Scenario, b.Facts = s.name, map[string]string{}
		if s.outside {
			b.dir = cgroupRoot
		}
		log.Print(s.name)
		if err := b.open(); err != nil {
			return err
		}
		if err := s.run(b); err != nil {
			b.Error = err.Error()
		}
		b.settle()
		if err := b.close(); err != nil {
			b.Error += " " + err.Error()
		}
		if err := b.send(); err != nil {
			return err
		}
	}
	return nil
}

// delegate enables these controllers for the cgroups below dir.
func delegate(dir string, controllers ...string) error {
	return os.WriteFile(dir+"/cgroup.subtree_control", []byte("+"+strings.Join(controllers, " +")), 0)
}

// under moves the box below a parent that passes on only these controllers.
func (b *box) under(controllers ...string) error {
	parent := b.dir
	b.dir += "/box"
	if err := os.Mkdir(b.dir, 0o755); err != nil {
		return err
	}
	return delegate(parent, controllers...)
}

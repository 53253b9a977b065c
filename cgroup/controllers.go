package cgroup

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Controllers are those that d has, for its children to be limited by.
func (d Dir) Controllers() []string { return d.words("cgroup.controllers") }

// Offers returns an error that names those of the controllers that d does not have.
func (d Dir) Offers(controllers []string) error {
	have := d.Controllers()
	missing := slices.DeleteFunc(slices.Clone(controllers), func(c string) bool { return slices.Contains(have, c) })
	if len(missing) == 0 {
		return nil
	}
	if len(have) == 0 {
		have = []string{"none"}
	}
	return fmt.Errorf("this limit needs the %s controller, and our cgroup has: %s",
		strings.Join(missing, ", "), strings.Join(have, ", "))
}

// Enable makes the controllers available to the children of d. No process may be in d then,
// unless it is the real root (the "no internal process" rule): it fails with EBUSY. It returns
// those that were not enabled before.
//
// This is not the library's ToggleControllers, which writes the files of all levels and
// answers with the error of the last alone: EBUSY would be lost.
func (d Dir) Enable(controllers []string) ([]string, error) {
	before := d.words("cgroup.subtree_control")
	if err := d.write("cgroup.subtree_control", "+"+strings.Join(controllers, " +")); err != nil {
		return nil, fmt.Errorf("cannot enable the controllers %s: %w", strings.Join(controllers, ", "), err)
	}
	return slices.DeleteFunc(slices.Clone(controllers), func(c string) bool { return slices.Contains(before, c) }), nil
}

// Disable undoes Enable on d itself.
func (d Dir) Disable(controllers []string) error {
	return d.write("cgroup.subtree_control", "-"+strings.Join(controllers, " -"))
}

// MoveAll moves every process of d into to, until none is left in d: one may be forked, or
// enter, while we move the others.
func (d Dir) MoveAll(to Dir) error {
	for range 1000 {
		pids, err := d.ownProcs()
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			// What has ended meanwhile needs no moving.
			if err := to.Add(pid); err != nil && !isGone(err) {
				return fmt.Errorf("cannot move process %d to %s: %w", pid, to, err)
			}
		}
	}
	return errors.New("processes enter the cgroup faster than they can be moved out of it")
}

// IsRoot tells whether d is the real root of the hierarchy, which may hold processes beside
// children with controllers, and has no limits of its own.
func (d Dir) IsRoot() bool { return !d.has("cgroup.events") }

func (d Dir) words(file string) []string {
	data, _ := d.read(file)
	return strings.Fields(string(data))
}

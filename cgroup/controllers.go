package cgroup

import (
	"fmt"
	"slices"
	"strings"
)

// Controllers returns the controllers that d can hand to its children, as in cgroup.controllers.
func (d Dir) Controllers() []string { return d.words("cgroup.controllers") }

// Offers returns an error that names the controllers d does not have; nil if it has them all.
func (d Dir) Offers(controllers []string) error {
	have := d.Controllers()
	missing := slices.DeleteFunc(slices.Clone(controllers), func(c string) bool { return slices.Contains(have, c) })
	if len(missing) == 0 {
		return nil
	}
	if len(have) == 0 {
		have = []string{"none"}
	}
	return fmt.Errorf("this limit needs the controller %s, but the cgroup of cginit has only: %s",
		strings.Join(missing, ", "), strings.Join(have, ", "))
}

// Enable makes the controllers available to the children of d, and returns those that were not
// enabled before. It fails with EBUSY while a process is in d itself (the kernel's "no internal
// process" rule), unless d is the real root.
//
// The library's ToggleControllers is no substitute: it writes the files of all levels and returns
// only the last error, so EBUSY would be lost.
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

// MoveAll moves every process that is in d itself to another cgroup. It repeats that until d is
// empty, because a process may be forked or enter while the others are moved.
func (d Dir) MoveAll(to Dir) error {
	for range 1000 {
		pids, err := d.ownProcs()
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			// A process that has ended in the meantime need not be moved.
			if err := to.Add(pid); err != nil && !isGone(err) {
				return fmt.Errorf("cannot move process %d to %s: %w", pid, to, err)
			}
		}
	}
	return fmt.Errorf("cannot empty %s: processes enter it faster than they can be moved out", d)
}

// IsRoot reports whether d is the real root of the hierarchy. The root may hold processes while its
// children have controllers, and has no limits of its own.
func (d Dir) IsRoot() bool { return !d.has("cgroup.events") }

// words returns the words of a file; nil if it cannot be read.
func (d Dir) words(file string) []string {
	data, _ := d.read(file)
	return strings.Fields(string(data))
}

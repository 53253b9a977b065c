package proctree

import "github.com/cginit/cginit/init/proc"

// Below returns the pids of the descendants of a process, as [proc.Below] does.
func Below(pid int) []int { return proc.Below(pid) }

// All returns the pids of all processes but the calling one, as [proc.All] does.
func All() ([]int, error) { return proc.All() }

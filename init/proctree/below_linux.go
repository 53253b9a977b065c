package proctree

import "github.com/cginit/cginit/init/proc"

// Below returns the pids of the descendants of a process. It is [proc.Below].
func Below(pid int) []int { return proc.Below(pid) }

// All returns the pids of all processes except the calling one. It is [proc.All].
func All() ([]int, error) { return proc.All() }

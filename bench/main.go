// Command bench compares cginit with other inits and with the bare kernel operation. It measures them
// in turn within one run, and prints medians. usage: bench CGINIT FLOOR
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bench CGINIT FLOOR (make bench)")
		os.Exit(2)
	}
	cginit, floor := os.Args[1], os.Args[2]
	for _, part := range []func(cginit, floor string) error{startUp, memory, teardown, runs} {
		if err := part(cginit, floor); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
}

// subject is one program of a comparison.
type subject struct {
	name string
	// prefix stands before the command in the command line.
	prefix []string
}

// subjects returns the programs that are installed. The first is the command alone.
func subjects(cginit, floor string) []subject {
	return slices.DeleteFunc([]subject{
		{"the command alone", nil},
		{"tini -s", []string{"tini", "-s", "--"}},
		{"dumb-init", []string{"dumb-init", "--"}},
		{"catatonit", []string{"catatonit", "--"}},
		{"the least in Go", []string{floor}},
		{"cginit", []string{cginit, "--"}},
	}, func(s subject) bool {
		if s.prefix == nil {
			return false
		}
		_, err := exec.LookPath(s.prefix[0])
		return err != nil
	})
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

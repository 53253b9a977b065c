// Command bench measures cginit beside other inits and beside the bare kernel operation, all
// in one run, turn by turn, and prints medians. usage: bench CGINIT FLOOR
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
	for _, part := range []func(cginit, floor string) error{startUp, memory, teardown} {
		if err := part(cginit, floor); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
}

// subject is one program of a comparison: what stands before the command.
type subject struct {
	name   string
	prefix []string
}

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

// startUp is the time from the fork of an init to its end, around /bin/true.
func startUp(cginit, floor string) error {
	const rounds = 400
	all := subjects(cginit, floor)
	times := make([][]time.Duration, len(all))
	for range rounds {
		for i, s := range all {
			argv := append(slices.Clone(s.prefix), "/bin/true")
			begin := time.Now()
			if err := exec.Command(argv[0], argv[1:]...).Run(); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			times[i] = append(times[i], time.Since(begin))
		}
	}
	fmt.Printf("\n### Start and end of `/bin/true`, %d runs each\n\n", rounds)
	fmt.Println("| under | median ms | least ms | median / tini's |\n| --- | --- | --- | --- |")
	reference := median(times[min(1, len(times)-1)])
	for i, s := range all {
		fmt.Printf("| %s | %.2f | %.2f | %.2f |\n", s.name, ms(median(times[i])), ms(slices.Min(times[i])),
			float64(median(times[i]))/float64(reference))
	}
	return nil
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

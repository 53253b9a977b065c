// Command bomb measures how long it takes from SIGTERM until nothing is left of a fork bomb. Its help text says
// how it is used, and README.md what is measured.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const usage = `usage: bomb [FLAG...] CONTESTANT...

Starts a fork bomb under each contestant in turn, sends SIGTERM to it, and prints how long it takes until it has
ended. A contestant is a command line to which that of the bomb is appended, or "reference": a loop that writes
to cgroup.kill. Run it as process 1 of a PID namespace, in the real-time class and thus as root:

  unshare -pf --mount-proc bin/bomb -n 2000 -sessions -runs 20 reference 'bin/cginit --stop-grace-period 200ms --'

`

// options are the flags.
type options struct {
	n        int
	sessions bool
	runs     int
	settle   time.Duration
	grace    time.Duration
	child    bool
	inspect  string
	path     string
	remove   string
	others   bool
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "explode" {
		exitOn(explode(os.Args[2:]))
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "hear" {
		exitOn(hear())
		return
	}
	var o options
	flag.Usage = func() {
		fmt.Fprint(os.Stderr, usage)
		flag.PrintDefaults()
	}
	flag.IntVar(&o.n, "n", 2000, "how many processes are alive")
	flag.BoolVar(&o.sessions, "sessions", false, "each process leads a session of its own")
	flag.IntVar(&o.runs, "runs", 20, "runs of each contestant")
	flag.DurationVar(&o.settle, "settle", time.Second, "how long the bomb runs before it is ended")
	flag.DurationVar(&o.grace, "grace", 200*time.Millisecond, "the grace period of the contestants: the loop begins after it")
	flag.BoolVar(&o.child, "child", false, "signal the only child of the contestant's process, as for unshare -f")
	flag.StringVar(&o.inspect, "inspect", "", "a command line that prints the pid to signal, as for docker run")
	flag.StringVar(&o.remove, "remove", "", "a command line to run after each run")
	flag.BoolVar(&o.others, "beside", false, "measure what happens to another job meanwhile; the only contestant is a command line of cginit")
	flag.StringVar(&o.path, "path", "", "the path of this program as the contestant sees it")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if o.path == "" {
		path, err := os.Executable()
		exitOn(err)
		o.path = path
	}
	if o.others {
		exitOn(o.beside(flag.Arg(0)))
		return
	}
	exitOn(o.compare(flag.Args()))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bomb:", err)
		os.Exit(1)
	}
}

// compare measures the contestants in turn and prints a table.
func (o *options) compare(contestants []string) error {
	if os.Getpid() != 1 && o.inspect == "" {
		return fmt.Errorf("must be process 1 of a PID namespace, so that the kernel ends the bomb when it ends: unshare -pf --mount-proc")
	}
	if err := hurry(); err != nil {
		return err
	}
	took := make([][]time.Duration, len(contestants))
	for run := range o.runs {
		for i, c := range contestants {
			t, err := o.measure(c)
			if err != nil {
				return fmt.Errorf("%s: %w", c, err)
			}
			took[i] = append(took[i], t)
			fmt.Fprintf(os.Stderr, "%d: %.3f s %s\n", run+1, t.Seconds(), c)
		}
	}
	fmt.Printf("%d alive, sessions %t, grace %v, %d runs\n", o.n, o.sessions, o.grace, o.runs)
	fmt.Printf("| contestant | least s | median s | worst s |\n| --- | --- | --- | --- |\n")
	for i, c := range contestants {
		slices.Sort(took[i])
		last := len(took[i]) - 1
		fmt.Printf("| %s | %.3f | %.3f | %.3f |\n", c, took[i][0].Seconds(), took[i][(last+1)/2].Seconds(), took[i][last].Seconds())
	}
	return nil
}

func (o *options) measure(contestant string) (time.Duration, error) {
	if contestant == "reference" {
		return o.reference()
	}
	return o.contestant(strings.Fields(contestant))
}

// bomb returns the command line of the bomb.
func (o *options) bomb() []string {
	argv := []string{o.path, "explode", fmt.Sprint(o.n)}
	if o.sessions {
		argv = append(argv, "sessions")
	}
	return argv
}

// hurry puts this thread into the real-time class, so that the measurement waits for nobody. Its children are
// put back into the normal class by the kernel.
func hurry() error {
	runtime.LockOSThread()
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 50, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		return fmt.Errorf("cannot enter the real-time class: %w", err)
	}
	return nil
}

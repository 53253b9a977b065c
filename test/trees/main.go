// Command trees makes process trees of known shape and size for the tests: each kind is a way
// in which programs leave processes behind.
//
//	trees KIND N [--marker TEXT] [--exit STATUS] [--for DURATION] [--rate FORKS]
//
// It prints "ready" when the whole tree exists, and then stays. With --exit it stays until its
// standard input ends and then exits with STATUS, leaving the tree behind. --marker does
// nothing: every process of the tree has the same command line, so a test finds it by that. Only
// those of no-argv have none. If this machine lacks what the kind needs, it prints a line that
// begins with "missing" instead, and exits.
//
// A node of a tree must be cheap, so it is a bare fork of this program that lives in raw system
// calls (see raw.go), not a program of its own.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// most bounds the size of a tree, so that even a mistaken fork bomb leaves the machine usable.
const most = 32768

var kinds = map[string]func(n int){
	"plain":    func(n int) { grow(n, leafPlain) },
	"setsid":   func(n int) { grow(n, leafSetsid) },
	"deaf":     func(n int) { setAll(&ignore); grow(n, leafPlain) },
	"daemon":   daemons,
	"chain":    chain,
	"nested":   nested,
	"stopped":  stopped,
	"bomb":     bomb,
	"orphans":  orphans,
	"headless": headless,

	"headless-main":  headlessMain,
	"traced":         traced,
	"no-exit-signal": noExitSignal,
	"clone-parent":   cloneParent,
	"vfork":          vforks,
	"inner-pidns":    innerPidns,
	"inner-userns":   innerUserns,
	"inner-cgroupns": innerCgroupns,
	"memfd":          memfd,
	"no-argv":        noArgv,
	"threaded":       threaded,
	"page-fault":     pageFaults,
	"sqpoll":         polledRings,
	"fuse":           fuse,
	"core-dump":      coreDumps,
}

// joins has the kinds whose processes execute this program again, and what that then does.
var joins = map[string]func(n int){
	"chain":    joinChain,
	"headless": joinHeadless,
	"memfd":    joinNamed,
	"no-argv":  joinNamed,
}

// What the flags say.
var (
	kind   string
	status = -1
)

// The storage of the main thread is in the program's data, which a fork copies. So stay on that thread.
func init() { runtime.LockOSThread() }

func main() {
	args := os.Args
	if text := os.Getenv(argsVariable); text != "" {
		args = strings.Split(text, "\n")
	}
	if len(args) < 3 {
		usage("too few arguments")
	}
	kind = args[1]
	make, n := kinds[kind], 0
	if make == nil {
		usage("unknown kind " + kind)
	}
	n, err := strconv.Atoi(args[2])
	if err != nil || n < 1 || n > most {
		usage("the size must be a number from 1 to " + strconv.Itoa(most))
	}
	flags := flag.NewFlagSet("trees", flag.ExitOnError)
	flags.String("marker", "", "a `text` to find the processes by")
	flags.IntVar(&status, "exit", -1, "exit with this `status` when standard input ends")
	span := flags.Duration("for", time.Minute, "the longest that a bomb keeps replacing itself")
	join := flags.Int("join", 0, "be one process of a tree, whose `descriptor` for readiness this is")
	rate := flags.Int("rate", 0, "`forks` per second of all lines of a bomb; 0: as fast as they can")
	flags.Parse(args[3:])
	if *rate > 0 {
		pace = min(int64(n)*1e9/int64(*rate), 999_999_999)
	}
	deadline = now() + span.Nanoseconds()

	// From here on this thread behaves like a C program: no garbage collector, no signal handlers.
	debug.SetGCPercent(-1)
	setAll(&standard)
	slim()
	if *join > 0 {
		readyW = uintptr(*join)
		joins[kind](n)
	}
	openPipes()
	make(n)
	stay()
}

// stay reports that the tree is complete, and does what the main process does after that.
func stay() {
	if kind != "bomb" { // a bomb prints it itself
		fmt.Println("ready")
	}
	raw(syscall.SYS_CLOSE, startW, 0, 0)
	if status < 0 {
		pause()
	}
	awaitEOF(0)
	os.Exit(status)
}

func usage(why string) {
	names := make([]string, 0, len(kinds))
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(os.Stderr, "trees: %s\nusage: trees %s N [--marker TEXT] [--exit STATUS] [--for DURATION] [--rate FORKS]\n",
		why, strings.Join(names, "|"))
	os.Exit(2)
}

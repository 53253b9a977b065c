package supervisor

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// notification is one thing that a message of sd_notify(3) says. Its kind tells which of the other
// fields is set.
type notification struct {
	kind   notificationKind
	status string        // of sayStatus
	span   time.Duration // of sayWatchdog and sayExtend; more than 0
	pid    int           // of sayMain; more than 0
}

// notificationKind is the kind of a notification.
type notificationKind int

// The notifications that we act on.
const (
	// sayReady is READY=1.
	sayReady notificationKind = iota
	// sayReloading is RELOADING=1.
	sayReloading
	// sayStopping is STOPPING=1.
	sayStopping
	// sayStatus is STATUS=TEXT.
	sayStatus
	// sayAlive is WATCHDOG=1.
	sayAlive
	// sayBad is WATCHDOG=trigger.
	sayBad
	// sayWatchdog is WATCHDOG_USEC=N.
	sayWatchdog
	// sayExtend is EXTEND_TIMEOUT_USEC=N.
	sayExtend
	// sayMain is MAINPID=PID.
	sayMain
)

// extendMost is the longest extension that one message can ask for. A longer one counts as this.
const extendMost = 24 * time.Hour

// parseNotification returns what a message says, in its order. Lines that we do not know, and those
// whose value is not valid, say nothing.
func parseNotification(text string) (all []notification) {
	for line := range strings.Lines(text) {
		if n, ok := parseAssignment(strings.TrimSuffix(line, "\n")); ok {
			all = append(all, n)
		}
	}
	return all
}

// parseAssignment returns what one line of a message says; ok is false if that is nothing.
func parseAssignment(line string) (n notification, ok bool) {
	key, value, ok := strings.Cut(line, "=")
	if !ok {
		return n, false
	}
	switch key {
	case "READY":
		return notification{kind: sayReady}, value == "1"
	case "RELOADING":
		return notification{kind: sayReloading}, value == "1"
	case "STOPPING":
		return notification{kind: sayStopping}, value == "1"
	case "STATUS":
		return notification{kind: sayStatus, status: value}, true
	case "WATCHDOG":
		if value == "trigger" {
			return notification{kind: sayBad}, true
		}
		return notification{kind: sayAlive}, value == "1"
	case "WATCHDOG_USEC":
		span, ok := microseconds(value)
		return notification{kind: sayWatchdog, span: span}, ok
	case "EXTEND_TIMEOUT_USEC":
		span, ok := microseconds(value)
		return notification{kind: sayExtend, span: min(span, extendMost)}, ok
	case "MAINPID":
		pid, err := strconv.ParseUint(value, 10, 31)
		return notification{kind: sayMain, pid: int(pid)}, err == nil && pid > 0
	}
	return n, false
}

// microseconds reads a positive number of microseconds; ok is false if it is not one, or too large
// for a duration.
func microseconds(text string) (d time.Duration, ok bool) {
	const most = math.MaxInt64 / uint64(time.Microsecond)
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 || n > most {
		return 0, false
	}
	return time.Duration(n) * time.Microsecond, true
}

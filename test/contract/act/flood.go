package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// valid are messages that do something if the job sends them, and nearly are messages that must not.
var (
	valid = []string{
		"READY=1", "STOPPING=1", "STATUS=forged", "WATCHDOG=1", "WATCHDOG=trigger", "WATCHDOG_USEC=1", "WATCHDOG_USEC=1000",
		"EXTEND_TIMEOUT_USEC=1", "MAINPID=1", "MAINPID=2", "BARRIER=1", "READY=1\nSTOPPING=1",
	}
	nearly = []string{
		"READY=0", "ready=1", "STOPPING=2", "Stopping=1", "STOPPING=1 ", " STOPPING=1", "STOPPING", "STOPPING=",
		"WATCHDOG=Trigger", "WATCHDOG=triggers", "WATCHDOG_USEC=0", "WATCHDOG_USEC=-1", "WATCHDOG_USEC=18446744073709551616",
		"WATCHDOG_USEC=99999999999999999", "WATCHDOG_USEC=1e3", "WATCHDOG_USEC=", "EXTEND_TIMEOUT_USEC=-5", "MAINPID=", "MAINPID=-1",
		"MAINPID=0", "MAINPID=1", "MAINPID=4194305", "MAINPID=99999999999999999999", "MAINPID=self", "mainpid=2", "X=1", "=", "\x00", "\n\n\n", "",
	}
	acts = regexp.MustCompile(`(?m)^(STOPPING=1|WATCHDOG=trigger|WATCHDOG_USEC=\d{1,16}|MAINPID=\d{1,10}|STATUS=.*)$`)
)

// flood sends made-up messages to $NOTIFY_SOCKET for some seconds, every 16th with descriptors, and
// notes how many. A forger sends what would do something if it came from the job. A fool sends what
// must do nothing although it is of the job: MAINPID=1 alone names a process, cginit itself.
func flood(args []string) error {
	kind := args[0]
	seconds, err := strconv.ParseFloat(args[1], 64)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	to := &unix.SockaddrUnix{Name: os.Getenv("NOTIFY_SOCKET")}
	random := rand.New(rand.NewPCG(1, uint64(len(kind)))) //nolint:gosec // it repeats
	if err := note("%s floods", kind); err != nil {
		return err
	}
	sent := 0
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); {
		text := message(random, kind)
		var rights []byte
		if sent%16 == 0 {
			rights = unix.UnixRights(make([]int, 1+random.IntN(253))...) // our standard input, many times
		}
		switch err := unix.Sendmsg(fd, []byte(text), rights, to, 0); err {
		case nil:
			sent++
		case unix.ETOOMANYREFS, unix.EMSGSIZE, unix.ENOBUFS, unix.EINTR:
		default:
			return err
		}
	}
	if err := await([]string{"X=1"}); err != nil { // who has ended could be any process of its user
		return err
	}
	return note("%s sent %d", kind, sent)
}

// message returns a random message.
func message(random *rand.Rand, kind string) string {
	for {
		var lines []string
		for range 1 + random.IntN(4) {
			pool := nearly
			if kind == "forger" && random.IntN(2) == 0 {
				pool = valid
			}
			lines = append(lines, mutate(random, pool[random.IntN(len(pool))]))
		}
		text := strings.Join(lines, "\n")
		if kind == "forger" || !acts.MatchString(strings.ReplaceAll(text, "MAINPID=1\n", "")) {
			return text
		}
	}
}

// mutate changes every second text a little: a byte, its length, or its number of copies.
func mutate(random *rand.Rand, text string) string {
	if text == "" || random.IntN(2) == 0 {
		return text
	}
	at := random.IntN(len(text))
	switch random.IntN(4) {
	case 0:
		return text[:at] + string(rune(random.IntN(256))) + text[at+1:]
	case 1:
		return text[:at]
	case 2:
		return text + fmt.Sprint(random.Uint64())
	}
	return strings.Repeat(text, random.IntN(2000))
}

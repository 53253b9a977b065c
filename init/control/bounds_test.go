package control_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/control/controltest"
	"golang.org/x/sys/unix"
)

// settled waits until a number is at most what it should be.
func settled(t *testing.T, what string, most int, count func() int) {
	t.Helper()
	over := time.After(2 * time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for count() > most {
		select {
		case <-tick.C:
		case <-over:
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d %s, and not %d; goroutines:\n%s", count(), what, most, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func descriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}

// answers makes sure that a caller is served, whatever others do.
func answers(t *testing.T, socket string) {
	t.Helper()
	if a := exchange(t, socket, strings.TrimSuffix(list, "\x00")); a.Error != "" {
		t.Errorf("a caller is answered with %+v", a)
	}
}

// TestTenThousandBadMessages are malformed, too long, half sent, and abandoned before they are
// answered. The server goes on, and keeps nothing of it.
func TestTenThousandBadMessages(t *testing.T) {
	socket := controltest.Start(t)
	answers(t, socket)
	goroutines, fds, memory := runtime.NumGoroutine(), descriptors(), heap()
	random := rand.New(rand.NewPCG(1, 2))
	long := bytes.Repeat([]byte("x"), control.MaxMessage+100)
	run := `{"method":"io.cginit.Run","parameters":{"process":{"args":["/bin/sleep","9"]}}}` + "\x00"
	for i := range 10_000 {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		u := c.(*net.UnixConn)
		_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
		switch i % 8 {
		case 0: // noise
			noise := make([]byte, random.IntN(5000))
			for j := range noise {
				noise[j] = byte(random.Uint32())
			}
			_, _ = c.Write(noise)
		case 1:
			_, _ = c.Write([]byte(run[:random.IntN(len(run))]))
		case 2: // abandoned
			_, _ = io.WriteString(c, list)
		case 3:
			_, _ = io.WriteString(c, `{"method":"io.cginit.Events","more":true}`+"\x00"+list)
		case 4:
			_, _, _ = u.WriteMsgUnix([]byte(run[:30]), unix.UnixRights(0, 0, 0), nil)
		case 5:
			_, _ = io.WriteString(c, strings.Repeat("\x00", 100)+strings.Repeat(list, 20))
		case 6: // one that has half of it to itself
			_, _ = io.WriteString(c, `{"method":"io.cginit.Wait","parameters":{"jobs":["batch"],"until":"ready"}}`+"\x00")
		case 7:
			if i%100 == 7 {
				_, _ = c.Write(long)
			}
		}
		c.Close()
		if i%1000 == 0 {
			answers(t, socket)
		}
	}
	answers(t, socket)
	settled(t, "goroutines", goroutines+2, runtime.NumGoroutine)
	settled(t, "descriptors", fds, descriptors)
	settled(t, "bytes", memory+4<<20, heap)
}

// TestAThousandIdleConnections: the oldest give way, the next caller is served.
func TestAThousandIdleConnections(t *testing.T) {
	socket := controltest.Start(t)
	before, goroutines := heap(), runtime.NumGoroutine()
	idle := make([]net.Conn, 1000)
	for i := range idle {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		idle[i] = c
		_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
		if i%2 == 0 { // one that has called before
			_, _ = io.WriteString(c, list)
			_, _ = c.Read(make([]byte, 1<<16))
		}
		if i%100 == 0 {
			answers(t, socket)
		}
	}
	answers(t, socket)
	if n := runtime.NumGoroutine() - goroutines; n > 2*520 {
		t.Errorf("they cost %d goroutines", n)
	}
	// Both ends are in this process.
	if each := (heap() - before) / 256; each > 20<<10 {
		t.Errorf("each that is left costs %d bytes", each)
	} else {
		t.Logf("each that is left costs %d bytes", each)
	}
	for _, c := range idle {
		c.Close()
	}
	answers(t, socket)
	settled(t, "goroutines", goroutines+2, runtime.NumGoroutine)
}

// TestBusyConnectionsDoNotGiveWay: a lease is not lost to a crowd, which is told that it is one.
func TestBusyConnectionsDoNotGiveWay(t *testing.T) {
	socket := controltest.Start(t)
	const wait = `{"method":"io.cginit.Wait","parameters":{"jobs":["batch"],"until":"ready"}}` + "\x00"
	first := connect(t, socket)
	first.write(wait)
	var crowd []*wire
	for range 600 {
		w := connect(t, socket)
		_, _ = io.WriteString(w, wait)
		crowd = append(crowd, w)
	}
	turnedAway := connect(t, socket) // all before it have been dealt with
	_, _ = io.WriteString(turnedAway, wait)
	if a := turnedAway.read(); a.Error != "io.cginit.Busy" {
		t.Errorf("the last is answered with %+v", a)
	}
	served := 0
	for _, w := range crowd {
		switch message := w.unread(); {
		case message == "":
			served++
		case !strings.Contains(message, "io.cginit.Busy"):
			t.Fatalf("one is answered with %q", message)
		}
	}
	if served != 511 {
		t.Errorf("%d are served beside the first", served)
	}
	if message := first.unread(); message != "" {
		t.Errorf("the first is answered with %q", message)
	}
}

// TestASlowReaderIsCutOff: it does not read what it asked for, and loses its stream, and nobody
// else does.
func TestASlowReaderIsCutOff(t *testing.T) {
	socket := controltest.Start(t)
	slow, quick := connect(t, socket), connect(t, socket)
	for _, w := range []*wire{slow, quick} {
		w.write(`{"method":"io.cginit.Events","more":true}` + "\x00")
		w.read()
	}
	const rounds = 1000
	w := connect(t, socket)
	for i := range rounds { // two events each
		w.write(`{"method":"io.cginit.Restart","parameters":{"jobs":["web"]}}` + "\x00")
		w.read()
		quick.read()
		if last := quick.read().Parameters["last"].(float64); int(last) != 2*i+2 {
			t.Fatalf("the one that reads has event %v, and not %d", last, 2*i+2)
		}
	}
	rest, err := io.ReadAll(slow.in)
	got := bytes.Count(rest, []byte{0})
	if err != nil || got >= 2*rounds || got == 0 {
		t.Errorf("the one that does not read got %d events, then %v", got, err)
	}
	// With the number of the last that it has it learns what it missed.
	a := exchange(t, socket, fmt.Sprintf(`{"method":"io.cginit.Events","parameters":{"since":%d}}`, got))
	if missed := a.Parameters["missed"].(float64); int(missed) != 2*rounds-100-got {
		t.Errorf("after %d events %v were missed", got, missed)
	}
}

// TestLongMessagesAreFew: a crowd of half-sent long ones cannot fill the memory.
func TestLongMessagesAreFew(t *testing.T) {
	socket := controltest.Start(t)
	half := strings.Repeat("x", control.MaxMessage/2)
	busy := 0
	for range 40 {
		w := connect(t, socket)
		_, err := io.WriteString(w, half)
		if err != nil {
			if a := w.read(); a.Error != "io.cginit.Busy" {
				t.Fatalf("it is answered with %+v", a)
			}
			busy++
		}
	}
	if busy < 40-17 {
		t.Errorf("%d of 40 were told to try again", busy)
	}
	answers(t, socket)
}

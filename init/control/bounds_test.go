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

// settled waits until count returns at most most.
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

// descriptors returns how many descriptors this process has open.
func descriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// heap returns how many bytes of memory this process uses.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}

// answers checks that the server answers a call on a new connection.
func answers(t *testing.T, socket string) {
	t.Helper()
	if a := exchange(t, socket, strings.TrimSuffix(list, "\x00")); a.Error != "" {
		t.Errorf("a caller is answered with %+v", a)
	}
}

// TestTenThousandBadMessages sends messages that are malformed, too long, half sent, or abandoned
// before they are answered. The server goes on to answer others and keeps nothing of them.
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
		case 6: // a call that is not answered soon
			_, _ = io.WriteString(c, waitForBatch)
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

// TestAThousandIdleConnections: the oldest are ended, and the next caller is served.
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
		if i%2 == 0 { // also connections that have called before
			_, _ = io.WriteString(c, list)
			_, _ = c.Read(make([]byte, 1<<16))
		}
		if i%100 == 0 {
			answers(t, socket)
		}
	}
	answers(t, socket)
	if n := runtime.NumGoroutine() - goroutines; n > 2*520 {
		t.Errorf("the idle connections cost %d goroutines", n)
	}
	// The memory is that of both ends, which are in this process.
	if each := (heap() - before) / 256; each > 20<<10 {
		t.Errorf("each connection that is left costs %d bytes", each)
	} else {
		t.Logf("each connection that is left costs %d bytes", each)
	}
	for _, c := range idle {
		c.Close()
	}
	answers(t, socket)
	settled(t, "goroutines", goroutines+2, runtime.NumGoroutine)
}

// TestBusyConnectionsDoNotGiveWay: connections with an open call are not ended for new ones, which are
// answered with Busy.
func TestBusyConnectionsDoNotGiveWay(t *testing.T) {
	socket := controltest.Start(t)
	first := connect(t, socket)
	first.write(waitForBatch)
	var crowd []*wire
	for range 600 {
		w := connect(t, socket)
		_, _ = io.WriteString(w, waitForBatch)
		crowd = append(crowd, w)
	}
	turnedAway := connect(t, socket) // its answer says that the server has dealt with all before it
	_, _ = io.WriteString(turnedAway, waitForBatch)
	if a := turnedAway.read(); a.Error != "io.cginit.Busy" {
		t.Errorf("the last is answered with %+v", a)
	}
	served := 0
	for _, w := range crowd {
		switch message := w.unread(); {
		case message == "":
			served++
		case !strings.Contains(message, "io.cginit.Busy"):
			t.Fatalf("a connection is answered with %q", message)
		}
	}
	if served != 511 {
		t.Errorf("%d are served beside the first", served)
	}
	if message := first.unread(); message != "" {
		t.Errorf("the first is answered with %q", message)
	}
}

// TestASlowReaderIsCutOff: a client that does not read its events is cut off, and others are not.
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
			t.Fatalf("the client that reads has event %v, and not %d", last, 2*i+2)
		}
	}
	rest, err := io.ReadAll(slow.in)
	got := bytes.Count(rest, []byte{0})
	if err != nil || got >= 2*rounds || got == 0 {
		t.Errorf("the client that does not read got %d events, then %v", got, err)
	}
	// By the number of its last event the client finds out what it has missed.
	a := exchange(t, socket, fmt.Sprintf(`{"method":"io.cginit.Events","parameters":{"since":%d}}`, got))
	if missed := a.Parameters["missed"].(float64); int(missed) != 2*rounds-100-got {
		t.Errorf("after %d events %v were missed", got, missed)
	}
}

// TestLongMessagesAreFew: many half-sent long messages cannot take all memory.
func TestLongMessagesAreFew(t *testing.T) {
	socket := controltest.Start(t)
	half := strings.Repeat("x", control.MaxMessage/2)
	busy := 0
	for range 40 {
		w := connect(t, socket)
		_, err := io.WriteString(w, half)
		if err != nil {
			if a := w.read(); a.Error != "io.cginit.Busy" {
				t.Fatalf("a long message is answered with %+v", a)
			}
			busy++
		}
	}
	if busy < 40-17 {
		t.Errorf("%d of 40 were told to try again", busy)
	}
	answers(t, socket)
}

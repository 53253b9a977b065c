package supervisor

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// TestStalledReader: a reader that does not read costs lines, and says so; never a wait.
func TestStalledReader(t *testing.T) {
	read, write := io.Pipe()
	l := newLog("x", "text")
	l.out = newOutlet(write)
	for i := range outletRoom + outletBytes/5 {
		l.printf("line %d", i)
	}
	if l.dropped == 0 {
		t.Fatal("nothing was dropped, so the queue has no bound")
	}
	dropped := l.dropped
	lines := make(chan string)
	go func() {
		data, _ := io.ReadAll(read)
		lines <- string(data)
	}()
	for l.dropped > 0 { // until the reader has made room
		l.printf("after")
	}
	if err := l.out.close(nil); err != nil {
		t.Fatal(err)
	}
	write.Close()
	text := <-lines
	if !strings.Contains(text, "lines were dropped: nobody read them") || !strings.HasPrefix(text, "x: line 0\nx: line 1\n") {
		t.Errorf("%d lines were dropped, and nobody was told: %.300q", dropped, text)
	}
}

func TestOutletTellsErrorsAndTime(t *testing.T) {
	read, write := io.Pipe()
	boom := errors.New("boom")
	read.CloseWithError(boom)
	o := newOutlet(write)
	o.put([]byte("x"))
	if err := o.close(nil); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	_, stalled := io.Pipe()
	o = newOutlet(stalled)
	o.put([]byte("x"))
	late := make(chan time.Time, 1)
	late <- time.Time{}
	if err := o.close(late); err == nil {
		t.Error("a stalled writer was waited for")
	}
}

func TestLogLines(t *testing.T) {
	if got := newLog("cginit", "text").line("a\tb"); string(got) != "cginit: a\tb\n" {
		t.Errorf("text: %q", got)
	}
	got := newLog("cginit", "json").line("a \"b\"\n")
	if !bytes.Contains(got, []byte(`"from":"cginit","msg":"a \"b\"\n"`)) || bytes.Count(got, []byte("\n")) != 1 {
		t.Errorf("json: %q", got)
	}
}

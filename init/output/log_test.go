package output

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// TestStalledReader checks that a reader which does not read makes the log drop lines and say so,
// and never makes it wait.
func TestStalledReader(t *testing.T) {
	read, write := io.Pipe()
	l := NewLog("x", "text")
	l.out = NewOutlet(write)
	for i := range outletRoom + outletBytes/5 {
		l.Printf("line %d", i)
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
		l.Printf("after")
	}
	if err := l.out.Close(nil); err != nil {
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
	o := NewOutlet(write)
	o.Put([]byte("x"))
	if err := o.Close(nil); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	_, stalled := io.Pipe()
	o = NewOutlet(stalled)
	o.Put([]byte("x"))
	late := make(chan time.Time, 1)
	late <- time.Time{}
	if err := o.Close(late); err == nil {
		t.Error("a stalled writer was waited for")
	}
}

func TestLogLines(t *testing.T) {
	if got := NewLog("cginit", "text").line("a\tb"); string(got) != "cginit: a\tb\n" {
		t.Errorf("text: %q", got)
	}
	got := NewLog("cginit", "json").line("a \"b\"\n")
	if !bytes.Contains(got, []byte(`"from":"cginit","msg":"a \"b\"\n"`)) || bytes.Count(got, []byte("\n")) != 1 {
		t.Errorf("json: %q", got)
	}
}

package output

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// copied returns what is written of a text that a job writes, and the last lines.
func copied(json bool, text string) (written string, words []string) {
	var to bytes.Buffer
	words = NewLines(&to, Source{Job: "web", Run: 1, Stream: "stdout", JSON: json}).Copy(strings.NewReader(text), NewTurn())
	return to.String(), words
}

func TestLinesPrefix(t *testing.T) {
	long := strings.Repeat("x", lineMost)
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"lines", "a\n\nb\n", "web | a\nweb | \nweb | b\n"},
		{"no final newline", "a\nb", "web | a\nweb | b\n"},
		{"bytes that are no text", "\x00\xff\n", "web | \x00\xff\n"},
		{"a carriage return", "a\r\n", "web | a\r\n"},
		{"a line as long as a part", long + "\n", "web | " + long + "\n"},
		{"a longer one", long + "y\nz\n", "web | " + long + "\nweb | y\nweb | z\n"},
		{"parts without an end", long + long, "web | " + long + "\nweb | " + long + "\n"},
	} {
		if got, _ := copied(false, c.text); got != c.want {
			t.Errorf("%s: %.100q", c.name, got)
		}
	}
}

// TestLinesJSON: what is written is in the messages again, put together as their parts say.
func TestLinesJSON(t *testing.T) {
	for _, text := range []string{
		"", "a\nb\n", "no newline", strings.Repeat("ü", 1<<20) + "\nz\n", "x" + strings.Repeat("漢", 1<<18) + "\n",
		strings.Repeat("😀", lineMost) + "\n", strings.Repeat("x", lineMost) + "\n", strings.Repeat("x", 2*lineMost), "\x1b[31m\"\\\t\n",
	} {
		written, _ := copied(true, text)
		got, open := "", false
		for lines := json.NewDecoder(strings.NewReader(written)); lines.More(); {
			var line struct {
				Job, Stream, Msg string
				Run              int
				Part             bool
			}
			if err := lines.Decode(&line); err != nil || line.Job != "web" || line.Stream != "stdout" {
				t.Fatalf("%+v, %v", line, err)
			}
			got += line.Msg
			if open = line.Part; !open {
				got += "\n"
			}
		}
		if open {
			t.Errorf("%.20q: its last line has no end", text)
		}
		if strings.TrimSuffix(got, "\n") != strings.TrimSuffix(text, "\n") {
			t.Errorf("%.20q became %.100q (%d bytes of %d)", text, got, len(got), len(text))
		}
	}
}

// TestLinesKeepsTheLastWords checks that the last five lines are kept, without bytes that are not
// text.
func TestLinesKeepsTheLastWords(t *testing.T) {
	_, words := copied(false, strings.Repeat("old\n", 100)+"1\n2\n3\n\xff4\n"+strings.Repeat("y", 1000))
	if len(words) != WordsKept || words[0] != "1" || words[3] != "4" || words[4] != strings.Repeat("y", wordsMost) {
		t.Errorf("%q", words)
	}
}

// TestSharedOutput checks that nothing is lost on a descriptor that is non-blocking.
func TestSharedOutput(t *testing.T) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	write := os.NewFile(uintptr(fds[1]), "pipe")
	if err := unix.SetNonblock(fds[1], true); err != nil { // after Go has looked
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	done := make(chan error, 1)
	go func() {
		n, err := Shared{write}.Write(want)
		if n != len(want) {
			t.Errorf("it wrote %d bytes of %d", n, len(want))
		}
		write.Close()
		done <- err
	}()
	var got bytes.Buffer
	if _, err := got.ReadFrom(os.NewFile(uintptr(fds[0]), "pipe")); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%d bytes of %d came through, %v", got.Len(), len(want), err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

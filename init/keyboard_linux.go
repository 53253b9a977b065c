package supervisor

import (
	"os"

	"github.com/cginit/cginit/init/output"
	"golang.org/x/sys/unix"
)

// keyboard is our standard input, for the jobs that read it through their own terminal.
type keyboard struct {
	isRead bool          // a goroutine reads our standard input
	before *unix.Termios // the mode of our terminal before setRaw; nil: setRaw has not changed it
}

// read starts the goroutine that reads our standard input; only the first call does. The loop calls
// to, which returns the terminal that the text goes to; nil: the text is dropped.
func (k *keyboard) read(post func(message), to func() *os.File) {
	if k.isRead {
		return
	}
	k.isRead = true
	k.setRaw()
	go readInput(func(text []byte) {
		found := make(chan *os.File, 1)
		post(func() { found <- to() })
		if f := <-found; f != nil {
			_, _ = f.Write(text)
		}
	})
}

// readInput passes what it reads to write, and ends the input with Ctrl-D. If the job does not
// read, write blocks and no more is read.
func readInput(write func([]byte)) {
	const ctrlD = 'D' - '@' // after a part of a line it ends that part; after a newline it ends the input
	b := make([]byte, output.ReadRoom)
	last := byte('\n')
	for {
		n, err := os.Stdin.Read(b)
		if n > 0 {
			last = b[n-1]
			write(b[:n])
		}
		if err != nil {
			break
		}
	}
	if last != '\n' {
		write([]byte{ctrlD})
	}
	write([]byte{ctrlD})
}

// setRaw switches our terminal to raw input, if we are in its foreground: the job's terminal
// decides what a key means. Output is processed as before, because others write to our terminal
// too.
func (k *keyboard) setRaw() {
	mode, err := unix.IoctlGetTermios(0, unix.TCGETS)
	front, _ := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	if err != nil || front != unix.Getpgrp() {
		return
	}
	k.before = mode
	raw := *mode
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	_ = unix.IoctlSetTermios(0, unix.TCSETS, &raw)
}

// restore undoes setRaw.
func (k *keyboard) restore() {
	if k.before != nil {
		_ = unix.IoctlSetTermios(0, unix.TCSETS, k.before)
	}
}

package supervisor

import (
	"os"

	"github.com/cginit/cginit/init/output"
	"golang.org/x/sys/unix"
)

// keyboard is our standard input, for the job that has it on its terminal.
type keyboard struct {
	isRead bool          // a goroutine reads it
	before *unix.Termios // how our terminal was before that; nil: as it is
}

// read has our standard input read, from the first run on that is to have it. to returns, in the
// loop, the terminal that is to have what was read; nil: there is none.
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

// readInput passes on what it reads. A job that does not read makes us read no more.
func readInput(write func([]byte)) {
	const ctrlD = 'D' - '@' // the end of a line that it ends, or of the input
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

// setRaw leaves it to the job's terminal what a key means. Ours still does what output needs: others
// write there too.
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

package supervisor

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// hearInput has our standard input read, from the first run on that is to have it.
func (s *Supervisor) hearInput() {
	if !s.hearsInput {
		s.hearsInput = true
		s.typeRaw()
		go s.readInput()
	}
}

// readInput gives what it reads to the job whose terminal it is for. One that does not read
// makes us read no more.
func (s *Supervisor) readInput() {
	write := func(text []byte) {
		to := make(chan *os.File, 1)
		s.post(func() { to <- s.typedTo() })
		if f := <-to; f != nil {
			_, _ = f.Write(text)
		}
	}
	const end = 'D' - '@' // Ctrl-D: the end of a line that it ends, or of the input
	b := make([]byte, pumpRoom)
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
		write([]byte{end})
	}
	write([]byte{end})
}

// typedTo is the terminal of the last run that is to have what we read; nil: there is none.
func (s *Supervisor) typedTo() *os.File {
	for _, r := range slices.Backward(s.live) {
		if r.role == roleMain && r.spec.StdinOpen && r.pump != nil && r.pump.ours != nil {
			return r.pump.ours
		}
	}
	return nil
}

// typeRaw leaves it to the job's terminal what a key means. Ours still does what output needs:
// others write there too.
func (s *Supervisor) typeRaw() {
	mode, err := unix.IoctlGetTermios(0, unix.TCGETS)
	front, _ := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	if err != nil || front != unix.Getpgrp() {
		return
	}
	s.typing = mode
	raw := *mode
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	_ = unix.IoctlSetTermios(0, unix.TCSETS, &raw)
}

// typeAsBefore undoes typeRaw.
func (s *Supervisor) typeAsBefore() {
	if s.typing != nil {
		_ = unix.IoctlSetTermios(0, unix.TCSETS, s.typing)
	}
}

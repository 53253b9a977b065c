package config

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/moby/sys/signal"
	"golang.org/x/sys/unix"
)

// SignalValue is a flag that takes a signal: TERM, SIGTERM, 15, RTMIN+3.
type SignalValue syscall.Signal

// Set parses a signal by name or number.
func (v *SignalValue) Set(s string) error {
	sig, err := ParseSignal(s)
	*v = SignalValue(sig)
	return err
}

// String returns the name without SIG, and nothing for no signal.
func (v *SignalValue) String() string {
	if *v == 0 {
		return ""
	}
	return strings.TrimPrefix(SignalName(syscall.Signal(*v)), "SIG")
}

// Type names the value in a usage text.
func (v *SignalValue) Type() string { return "signal" }

// ParseSignal parses a signal by name (with or without SIG, RTMIN+n too) or number.
func ParseSignal(s string) (syscall.Signal, error) {
	sig, err := signal.ParseSignal(s)
	if err != nil || sig < 1 || sig > 64 {
		return 0, fmt.Errorf("%q is not a signal; try TERM, INT, QUIT, RTMIN+3 or a number from 1 to 64", s)
	}
	return sig, nil
}

// sigrtmin is the first real-time signal that is not the C library's own.
const sigrtmin = 34

// SignalName returns a signal's name as kill(1) writes it, such as SIGTERM or SIGRTMIN+3.
func SignalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	if sig == sigrtmin {
		return "SIGRTMIN"
	}
	return fmt.Sprintf("SIGRTMIN%+d", int(sig)-sigrtmin)
}

// RewriteValue is a flag FROM:TO, given once for each signal. TO 0 drops the signal.
type RewriteValue map[syscall.Signal]syscall.Signal

// Set parses FROM:TO; more than one may be given, separated by commas.
func (v *RewriteValue) Set(s string) error {
	for pair := range strings.SplitSeq(s, ",") {
		from, to, ok := strings.Cut(pair, ":")
		if !ok {
			return fmt.Errorf("%q is not FROM:TO, such as TERM:INT", pair)
		}
		source, err := ParseSignal(from)
		if err != nil {
			return err
		}
		if source == syscall.SIGKILL || source == syscall.SIGSTOP {
			return fmt.Errorf("%s cannot be caught, so it cannot be rewritten", SignalName(source))
		}
		target := syscall.Signal(0)
		if to != "0" {
			if target, err = ParseSignal(to); err != nil {
				return err
			}
		}
		if *v == nil {
			*v = RewriteValue{}
		}
		(*v)[source] = target
	}
	return nil
}

// String returns nothing: the default is no rewriting.
func (v *RewriteValue) String() string { return "" }

// Type names the value in a usage text.
func (v *RewriteValue) Type() string { return "from:to" }

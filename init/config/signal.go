package config

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/cginit/cginit/init/config/programs"
	"github.com/moby/sys/signal"
	"golang.org/x/sys/unix"
)

// SignalValue is the value of a flag that takes a signal, such as TERM, SIGTERM, 15 or RTMIN+3.
type SignalValue syscall.Signal

// Set parses a signal by name or number.
func (v *SignalValue) Set(s string) error {
	sig, err := ParseSignal(s)
	*v = SignalValue(sig)
	return err
}

// String returns the name without SIG; empty if there is no signal.
func (v *SignalValue) String() string {
	if *v == 0 {
		return ""
	}
	return strings.TrimPrefix(SignalName(syscall.Signal(*v)), "SIG")
}

// Type returns the name of the value in a help text.
func (v *SignalValue) Type() string { return "signal" }

// StopSignalValue is the value of a flag that takes a signal, or auto.
type StopSignalValue syscall.Signal

// Set parses a signal by name or number, or auto.
func (v *StopSignalValue) Set(s string) error {
	if s == auto {
		*v = StopSignalValue(programs.Auto)
		return nil
	}
	return (*SignalValue)(v).Set(s)
}

// String returns auto, or the name without SIG; empty if there is no signal.
func (v *StopSignalValue) String() string {
	if *v == StopSignalValue(programs.Auto) {
		return auto
	}
	return (*SignalValue)(v).String()
}

// Type returns the name of the value in a help text.
func (v *StopSignalValue) Type() string { return "signal" }

// ParseSignal returns the signal with a name or number. The name may be without SIG, and may be that of
// a real-time signal, such as RTMIN+3.
func ParseSignal(s string) (syscall.Signal, error) {
	sig, err := signal.ParseSignal(s)
	if err != nil || sig < 1 || sig > 64 {
		return 0, fmt.Errorf("%q is not a signal; try TERM, INT, QUIT, RTMIN+3 or a number from 1 to 64", s)
	}
	return sig, nil
}

// sigrtmin is the first real-time signal that the C library does not use itself.
const sigrtmin = 34

// SignalName returns the name of a signal as kill(1) writes it, such as SIGTERM or SIGRTMIN+3.
func SignalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	if sig == sigrtmin {
		return "SIGRTMIN"
	}
	return fmt.Sprintf("SIGRTMIN%+d", int(sig)-sigrtmin)
}

// RewriteValue is the value of a repeatable flag FROM:TO. It maps each signal to the one that is passed
// on in its place; 0 drops the signal.
type RewriteValue map[syscall.Signal]syscall.Signal

// Set adds one or more FROM:TO, separated by commas.
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
			return fmt.Errorf("%s cannot be caught, and so cannot be rewritten", SignalName(source))
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

// String returns an empty text, because by default nothing is rewritten.
func (v *RewriteValue) String() string { return "" }

// Type returns the name of the value in a help text.
func (v *RewriteValue) Type() string { return "from:to" }

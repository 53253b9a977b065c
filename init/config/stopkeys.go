package config

import (
	"fmt"
	"syscall"
	"time"
)

// stopKeys are the keys about the end of a run.
func stopKeys() []*field {
	return []*field{
		key("stop_signal", "the signal that asks it to stop, such as SIGQUIT (default SIGTERM)", stopSignal(),
			func(d *draft) *syscall.Signal { return &d.StopSignal }),
		key("stop_grace_period", "the time from the stop signal until it is killed (default 10s)", duration(0),
			func(d *draft) *time.Duration { d.GraceWritten = true; return &d.GracePeriod }),
		key("kill_mode",
			"which processes a stop asks; mixed: the main process, then the others; control-group: all at once; "+
				"process: the main process alone",
			word(Mixed, ControlGroup, Process), func(d *draft) *KillMode { return &d.KillMode }),
		key("leftovers",
			"what happens to the other processes when the main process ends by itself; stop: they are asked, then "+
				"killed; wait: it goes on until the last has ended; kill: they are killed",
			word(LeftoversStop, LeftoversWait, LeftoversKill), func(d *draft) *Leftovers { return &d.Leftovers }),
		key("timeout", "the longest that one run may take", duration(time.Millisecond),
			func(d *draft) *time.Duration { return &d.Timeout }),
		key("essential", "true: when it ends, cginit stops everything and ends with the same exit status", boolean(),
			func(d *draft) *bool { return &d.Essential }),
		key("pre_stop", "steps that run before it is asked to stop", listOf(hooks()),
			func(d *draft) *[]hook { return &d.preStop }),
	}
}

// stopSignal reads a signal that a program can act on.
func stopSignal() value[syscall.Signal] {
	return parsed(schemaNumber, func(s string) (syscall.Signal, error) {
		sig, err := ParseSignal(s)
		if err == nil && (sig == syscall.SIGKILL || sig == syscall.SIGSTOP) {
			err = fmt.Errorf("no program can catch %s; write stop_grace_period: 0s to kill at once", SignalName(sig))
		}
		return sig, err
	})
}

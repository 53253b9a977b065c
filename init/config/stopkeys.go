package config

import (
	"fmt"
	"syscall"
	"time"
)

// stopKeys say how a run ends.
func stopKeys() []*field {
	return []*field{
		key("stop_signal", "the signal that asks it to stop, such as SIGQUIT", stopSignal(),
			func(d *draft) *syscall.Signal { return &d.StopSignal }),
		key("stop_grace_period", "how long after that it may live; then it is killed (10s)", duration(0),
			func(d *draft) *time.Duration { return &d.GracePeriod }),
		key("kill_mode", "whom a stop asks: the main process, then the rest; all at once; the main process alone",
			word(Mixed, ControlGroup, Process), func(d *draft) *KillMode { return &d.KillMode }),
		key("leftovers", "its other processes when the main process ends by itself: ask and kill, wait for them, kill",
			word(LeftoversStop, LeftoversWait, LeftoversKill), func(d *draft) *Leftovers { return &d.Leftovers }),
		key("timeout", "the longest that a run may take", duration(time.Millisecond), func(d *draft) *time.Duration { return &d.Timeout }),
		key("essential", "when it ends, everything ends, with its status", boolean(), func(d *draft) *bool { return &d.Essential }),
		key("pre_stop", "steps before it is asked to stop", listOf(hooks()), func(d *draft) *[]hook { return &d.preStop }),
	}
}

func stopSignal() value[syscall.Signal] {
	return parsed(schemaNumber, func(s string) (syscall.Signal, error) {
		sig, err := ParseSignal(s)
		if err == nil && (sig == syscall.SIGKILL || sig == syscall.SIGSTOP) {
			err = fmt.Errorf("no program can heed %s; use stop_grace_period: 0s to kill at once", SignalName(sig))
		}
		return sig, err
	})
}

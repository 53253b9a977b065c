package config

import (
	"fmt"
	"strconv"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config/programs"
)

// stopKeys are the keys about the end of a run, and about signals.
func stopKeys() []*field {
	return []*field{
		key("stop_signal", "the signal that asks it to stop, such as SIGQUIT (default SIGTERM); auto: the one that is known "+
			"for its program", stopSignal(), func(d *draft) *syscall.Signal { return &d.StopSignal }),
		keyTo("success_exit_status", "the ends that count as success, besides status 0, such as [143, SIGTERM]; auto: "+
			"those that are known for its program (default with stop_signal: auto)", oneOrMore(), setSuccess),
		key("reload_signal", "the signal with which cginitctl reload makes it read its own configuration again, such as SIGHUP; "+
			"auto: the one that is known for its program",
			reloadSignal(), func(d *draft) *syscall.Signal { return &d.ReloadSignal }),
		key("stop_grace_period", "the time from the stop signal until it is killed (default 10s)", duration(0),
			func(d *draft) *time.Duration { d.GraceWritten = true; return &d.GracePeriod }),
		key("kill_mode",
			"which processes a stop asks; mixed: the main process, and the others when it has ended, or half-way "+
				"through the grace period if it ignores the signal; control-group: all at once; process: the main process alone",
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

// stopSignal reads the signal that asks a program to stop, or auto.
func stopSignal() value[syscall.Signal] {
	return parsed(schemaNumber, func(s string) (syscall.Signal, error) {
		return parseCatchable(s, "write stop_grace_period: 0s to kill at once")
	})
}

// reloadSignal reads the signal that makes a program read its configuration again, or auto.
func reloadSignal() value[syscall.Signal] {
	return parsed(schemaNumber, func(s string) (syscall.Signal, error) {
		return parseCatchable(s, "write the one at which it reloads, such as HUP")
	})
}

// parseCatchable parses a signal that a program can act on, or auto. For any other the error ends with the advice.
func parseCatchable(s, advice string) (syscall.Signal, error) {
	if s == auto {
		return programs.Auto, nil
	}
	sig, err := ParseSignal(s)
	if err == nil && (sig == syscall.SIGKILL || sig == syscall.SIGSTOP) {
		err = fmt.Errorf("no program can catch %s; %s", SignalName(sig), advice)
	}
	return sig, err
}

// auto leaves a value to the table of programs.
const auto = "auto"

// oneOrMore reads a string or number, or a list of them.
func oneOrMore() value[[]string] {
	one := parsed(schemaNumber, func(s string) (string, error) { return s, nil })
	list := listOf(one)
	return value[[]string]{
		&shape{schema: schemaNumber, also: []*shape{list.shape}},
		func(p *problems, n *node) ([]string, bool) {
			if n.kind == listKind {
				return list.read(p, n)
			}
			word, ok := one.read(p, n)
			return []string{word}, ok
		},
	}
}

// setSuccess sets the ends that count as success.
func setSuccess(p *problems, n *node, d *draft, words []string) {
	if len(words) == 1 && words[0] == auto {
		d.SuccessAuto = true
		return
	}
	d.Success = make([]programs.Ending, len(words)) // not nil: an empty list means none
	for i, word := range words {
		at := n
		if n.kind == listKind {
			at = n.items[i]
		}
		var err error
		if d.Success[i], err = parseEnding(word); err != nil {
			p.wrong(at, "%v", err)
		}
	}
}

// parseEnding reads an exit status or a signal. A number is a status.
func parseEnding(s string) (e programs.Ending, err error) {
	const most = 255
	if e.Status, err = strconv.Atoi(s); err != nil {
		if e.Signal, err = ParseSignal(s); err != nil {
			err = fmt.Errorf("%q is neither an exit status nor a signal; try 143 or SIGTERM", s)
		}
	} else if e.Status < 0 || e.Status > most {
		err = fmt.Errorf("%d is no exit status; it must be from 0 to %d", e.Status, most)
	}
	return e, err
}

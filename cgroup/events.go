package cgroup

import (
	"bytes"
	"fmt"
)

// Events is what cgroup.events says now (since Linux 4.5; frozen since 5.2).
type Events struct {
	// Populated: a process lives in the cgroup or below it. Zombies do not count.
	Populated bool
	// Frozen: every process in it is frozen or stopped.
	Frozen bool
}

// Events reads cgroup.events.
func (d Dir) Events() (Events, error) {
	data, err := d.read("cgroup.events")
	if err != nil {
		return Events{}, err
	}
	return parseEvents(data)
}

func parseEvents(data []byte) (Events, error) {
	var e Events
	seen := false
	for line := range bytes.Lines(data) {
		key, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		switch on := string(value) == "1"; string(key) {
		case "populated":
			e.Populated, seen = on, true
		case "frozen":
			e.Frozen = on
		}
	}
	if !seen {
		return Events{}, fmt.Errorf("cgroup.events says nothing of populated: %q", data)
	}
	return e, nil
}

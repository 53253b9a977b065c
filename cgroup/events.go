package cgroup

import (
	"bytes"
	"fmt"
)

// Events is the content of cgroup.events (since Linux 4.5; Frozen since 5.2).
type Events struct {
	// Populated is true while a process lives in the cgroup or below it. Zombies do not count.
	Populated bool
	// Frozen is true when every process in the cgroup and below it is frozen or stopped.
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
		return Events{}, fmt.Errorf("cgroup.events has no line \"populated\": %q", data)
	}
	return e, nil
}

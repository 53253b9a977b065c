package keys

import (
	"encoding/json"
	"strings"
	"testing"
)

// logging checks where each logging driver writes, and in what form.
func logging(t *testing.T) {
	const script = `echo one; echo "two  2"; echo "to stderr" >&2; printf "no end"`
	is(t, says(t, "", script), "one\ntwo  2\nno end\n")
	is(t, says(t, "logging: {driver: inherit}", "readlink /proc/$$/fd/1 | sed 's/:.*//'; printf raw"), "pipe\nraw\n")
	is(t, says(t, "logging: {driver: prefix}", script), "main | one\nmain | two  2\nmain | no end\n")
	is(t, says(t, "logging: {driver: none}", script), "")
	w := start(t, one("jobs", script, "logging: {driver: prefix}"))
	w.rest()
	w.ends(0)
	if said := w.Stderr(); !strings.Contains(said, "main | to stderr\n") {
		t.Errorf("the line of the job's stderr is missing: %s", said)
	}
	t.Run("json", jsonLines)
	t.Run("another user opens it again", func(t *testing.T) {
		is(t, says(t, "user: '1234'\nlogging: {driver: prefix}", "echo by its name >/dev/stdout"), "main | by its name\n")
	})
}

func jsonLines(t *testing.T) {
	said := says(t, "logging: {driver: json}", `echo one; echo '"two"'`)
	for i, want := range []string{"one", `"two"`} {
		var line struct {
			Job, Stream, Msg, Time string
			Run                    int
		}
		lines := strings.Split(said, "\n")
		if err := json.Unmarshal([]byte(lines[min(i, len(lines)-1)]), &line); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		if line.Job != "main" || line.Stream != "stdout" || line.Msg != want || line.Run != 1 || line.Time == "" {
			t.Errorf("%+v", line)
		}
	}
}

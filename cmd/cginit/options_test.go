package main

import (
	"os"
	"reflect"
	"testing"
	"time"

	supervisor "github.com/cginit/cginit/init"
	"github.com/cginit/cginit/init/config"
)

// notForSupervisor are the fields of config.Options that change nothing in the supervisor's
// configuration, with the reason.
var notForSupervisor = map[string]string{
	"Check":   "run calls check instead of the supervisor",
	"JSON":    "it is the form in which check prints",
	"Detach":  "run calls detach, which starts a second cginit with the same command line",
	"Version": "run prints the version and ends",
	"Help":    "run prints the help and ends",
}

// readFromFile are the fields of config.File that have no flag, with their reader. The supervisor reads
// them from Config.File.
var readFromFile = map[string]string{
	"Jobs":      "the supervisor's jobs",
	"AllowUIDs": "the control server",
	"AllowGIDs": "the control server",
	"Seal":      "config, which sets SealAuto of each job",
	"Warnings":  "merge prints them",
	"at":        "config's own",
}

// set sets a field to a value that is neither the zero value nor in the files of the test.
func set(t *testing.T, name string, field reflect.Value) {
	t.Helper()
	switch v := field.Addr().Interface().(type) {
	case *config.Spec:
		v.Args = []string{"x"}
	case *[]string:
		*v = []string{"*"}
	case *bool:
		*v = true
	case *string:
		*v = "other"
	case *time.Duration:
		*v = 5 * time.Second
	default:
		t.Fatalf("the test cannot set %s, a %s", name, field.Type())
	}
}

// configured returns the configuration that supervise would hand to the supervisor.
func configured(t *testing.T, o *config.Options) supervisor.Config {
	t.Helper()
	c := configOf(o)
	if len(o.Config) > 0 {
		f, err := load(o, nil)
		if err != nil {
			t.Fatal(err)
		}
		merge(&c, f, o)
	}
	return c
}

// TestEveryOptionArrives sets each field of config.Options in turn: the supervisor's configuration
// must change, for a command or for a file, or the field must be in the list of those that are not
// for it.
func TestEveryOptionArrives(t *testing.T) {
	t.Chdir(t.TempDir())
	const jobs = "services: {web: {command: x}, extra: {command: x, profiles: [p]}}\n"
	files := map[string]string{
		"cginit.yaml": jobs + "stop_grace_period: 8s\nsocket: /run/file.sock\nreport: /file\nlog: json\n",
		"*":           jobs, // set gives this name to Config
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command, file := config.Options{}, config.Options{Config: []string{"cginit.yaml"}}
	for n := range reflect.TypeFor[config.Options]().NumField() {
		changed := false
		name := reflect.TypeFor[config.Options]().Field(n).Name
		for _, zero := range []config.Options{command, file} {
			o := zero
			set(t, name, reflect.ValueOf(&o).Elem().Field(n))
			changed = changed || !reflect.DeepEqual(configured(t, &o), configured(t, &zero))
		}
		if why, exempt := notForSupervisor[name]; changed == exempt {
			t.Errorf("%s changes the supervisor's configuration: %t (exempt: %t %s)", name, changed, exempt, why)
		}
	}
}

// TestEveryTopLevelKeyArrives sets each field of config.File in turn: where there is a flag for the
// same, merge must put the file's value into the supervisor's configuration.
func TestEveryTopLevelKeyArrives(t *testing.T) {
	merged := func(f config.File) supervisor.Config {
		c := configOf(&config.Options{})
		merge(&c, &f, &config.Options{})
		c.File = nil
		return c
	}
	for n := range reflect.TypeFor[config.File]().NumField() {
		name := reflect.TypeFor[config.File]().Field(n).Name
		if readFromFile[name] != "" {
			continue
		}
		var f config.File
		set(t, name, reflect.ValueOf(&f).Elem().Field(n))
		if reflect.DeepEqual(merged(f), merged(config.File{})) {
			t.Errorf("%s changes nothing: merge must take it, or the test's list must say who reads it", name)
		}
	}
}

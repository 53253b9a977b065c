package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCheck checks that commands are looked up in the PATH and the working directory of their job, in
// all places that have a command, and that a missing one is reported once.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "cginit.yaml")
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var looked []string
	look := func(command string, env []string) (string, error) {
		path, _ := lookup(env, "PATH")
		looked = append(looked, command+" in "+path)
		if strings.Contains(command, "none") {
			return "", errors.New("cannot execute " + command)
		}
		return command, nil
	}
	check := func(text string) string {
		t.Helper()
		write(text)
		f, err := Load([]string{name}, []string{"PATH=/ours"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err = f.Check(look); err == nil {
			return ""
		}
		return strings.ReplaceAll(err.Error(), name+":", "")
	}
	if got := check(`
services:
  web:
    command: ./run
    working_dir: ` + dir + `
    environment: {PATH: /own}
    pre_start: [{command: before, environment: {PATH: /step}}]
    healthcheck: {test: [CMD, probe]}
jobs:
  once: {entrypoint: sh, command: none}`); got != "" {
		t.Errorf("problems with commands that exist: %s", got)
	}
	want := []string{dir + "/run in /own", "probe in /own", "before in /step", "sh in /ours"}
	if !slices.Equal(looked, want) {
		t.Errorf("looked up %q, want %q", looked, want)
	}
	got := check(`
services:
  web:
    command: none-1
    scale: 3
    working_dir: ` + dir + `/nowhere
    pre_stop: [{command: sh}, {command: none-2, working_dir: ` + name + `}]
    healthcheck: {test: none-3}
  db: {command: db}`)
	wantLines := []string{
		"4:14: services.web.command: cannot execute none-1",
		"6:18: services.web.working_dir: " + dir + "/nowhere: no such file or directory",
		"7:41: services.web.pre_stop[1].command: cannot execute none-2",
		"7:62: services.web.pre_stop[1].working_dir: " + name + " is not a directory",
	}
	if got != strings.Join(wantLines, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(wantLines, "\n"))
	}
}

func TestWarnings(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cginit.yaml")
	if err := os.WriteFile(name, []byte("services:\n  web: {command: \"x $A ${B-} ${C}\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load([]string{name}, []string{"C=1"}, nil)
	want := []string{name + ":2:18: the variable A is not set, so it is replaced by nothing"}
	if err != nil || !slices.Equal(f.Warnings, want) {
		t.Errorf("%q, %v, want %q", f.Warnings, err, want)
	}
}

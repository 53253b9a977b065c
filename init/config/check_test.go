package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// checked loads text as the file name, and returns the problems that Check finds, without the name of the
// file. It also returns each command that was looked up, with its PATH. A command whose name has "none" in
// it does not exist.
func checked(t *testing.T, name, text string) (problems string, looked []string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load([]string{name}, []string{"PATH=/ours"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = f.Check(func(command string, env []string) (string, error) {
		path, _ := lookup(env, "PATH")
		looked = append(looked, command+" in "+path)
		if strings.Contains(command, "none") {
			return "", errors.New("cannot execute " + command)
		}
		return command, nil
	})
	if err == nil {
		return "", looked
	}
	return strings.ReplaceAll(err.Error(), name+":", ""), looked
}

// TestCheckLooksUp checks that commands are looked up in the PATH and the working directory of their job,
// in all places that have a command.
func TestCheckLooksUp(t *testing.T) {
	dir := t.TempDir()
	got, looked := checked(t, filepath.Join(dir, "cginit.yaml"), `
services:
  web:
    command: ./run
    working_dir: `+dir+`
    environment: {PATH: /own}
    pre_start: [{command: before, environment: {PATH: /step}}]
    healthcheck: {test: [CMD, probe]}
jobs:
  once: {entrypoint: sh, command: none}`)
	if got != "" {
		t.Errorf("problems with commands that exist: %s", got)
	}
	want := []string{dir + "/run in /own", "probe in /own", "before in /step", "sh in /ours"}
	if !slices.Equal(looked, want) {
		t.Errorf("looked up %q, want %q", looked, want)
	}
}

// TestCheckReports checks that each missing command and working directory is reported once.
func TestCheckReports(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "cginit.yaml")
	got, _ := checked(t, name, `
services:
  web:
    command: none-1
    scale: 3
    working_dir: `+dir+`/nowhere
    pre_stop: [{command: sh}, {command: none-2, working_dir: `+name+`}]
    healthcheck: {test: none-3}
  db: {command: db}`)
	want := strings.Join([]string{
		"4:14: services.web.command: cannot execute none-1",
		"6:18: services.web.working_dir: " + dir + "/nowhere: no such file or directory",
		"7:41: services.web.pre_stop[1].command: cannot execute none-2",
		"7:62: services.web.pre_stop[1].working_dir: " + name + " is not a directory",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
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

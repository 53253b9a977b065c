// Package golden compares what cginit --check says in some surroundings with what it said when
// a person last looked at it.
package golden

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// volatile is what differs from machine to machine and from run to run.
var volatile = []struct{ is, becomes string }{
	{`(?m)^(  process 1 +no, process )\d+`, "${1}{pid}"},
	{`(?m)^(  controllers +).*`, "${1}{controllers}"},
	{`(?m)^(  close_range +)(yes|no).*`, "${1}{kernel}"},
}

// Check compares said with testdata/name.txt. Values of the test's own are given in pairs of
// what they are and what stands for them. UPDATE=1 writes the file instead.
func Check(t *testing.T, name, said string, pairs ...string) {
	t.Helper()
	for _, v := range volatile {
		said = regexp.MustCompile(v.is).ReplaceAllString(said, v.becomes)
	}
	said = strings.TrimSpace(strings.NewReplacer(pairs...).Replace(said)) + "\n"
	file := filepath.Join("testdata", "check-"+name+".txt")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(said), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if said != string(want) {
		t.Errorf("--check says something else than %s; if it is right, UPDATE=1 go test keeps it:\n%s", file, said)
	}
}

// Package golden compares the output of cginit --check with an output that a person has approved.
package golden

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// volatile are the parts of the output that differ from machine to machine and from run to run.
var volatile = []struct{ is, becomes string }{
	{`(?m)^(  process 1 +no, process )\d+`, "${1}{pid}"},
	{`(?m)^(  controllers +).*`, "${1}{controllers}"},
	{`(?m)^(  close_range +)(yes|no).*`, "${1}{kernel}"},
}

// Check compares said with testdata/check-NAME.txt. Pairs are values of the test itself, each followed
// by the text that stands for it in the file. With UPDATE=1 it writes the file first.
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
		t.Errorf("the output of --check differs from %s; if it is right, store it with UPDATE=1 go test:\n%s", file, said)
	}
}

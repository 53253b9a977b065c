package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected messages and the schema")

// TestWrong checks that each file of testdata/wrong is refused with exactly the lines at its end.
func TestWrong(t *testing.T) {
	archives, err := filepath.Glob("testdata/wrong/*.txtar")
	if err != nil || len(archives) < 40 {
		t.Fatalf("%d wrong files, %v", len(archives), err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { refused(t, name) })
	}
}

// refused checks one archive: all of its files but the last are loaded, and the last has the error.
func refused(t *testing.T, name string) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := txtar.Write(archive, dir); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".yaml") {
			files = append(files, filepath.Join(dir, f.Name))
		}
	}
	_, err = Load(files, nil, nil)
	if err == nil {
		t.Fatal("it is accepted")
	}
	got := strings.ReplaceAll(err.Error(), dir+"/", "") + "\n"
	want := &archive.Files[len(archive.Files)-1]
	if *update {
		want.Data = []byte(got)
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(want.Data) != got {
		t.Errorf("got\n%swant\n%s", got, want.Data)
	}
}

// TestUnreadable checks the errors for files that cannot be read or parsed.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "none.yaml"): ": cannot be read: no such file or directory",
		dir:                             ": it is a directory, not a file",
		write("latin.yaml", "services: {a\xe4: {command: x}}"): ": the file is not UTF-8 text",
		write("long.yaml",
			strings.Repeat("#", maxFile+1)): ": the file is longer than 1048576 bytes",
		write("deep.yaml",
			"x: "+strings.Repeat("[", 100)+strings.Repeat("]", 100)): ":1:68: values are nested deeper than 64",
		write("deeper.yaml",
			strings.Repeat("[", 500_000)): ": not YAML: exceeded max depth of 10000",
	} {
		_, err := Load([]string{name}, nil, nil)
		if err == nil || !strings.Contains(err.Error(), name+want) {
			t.Errorf("%v, want %s", err, name+want)
		}
	}
}

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzLoad checks that any two files are accepted or refused, that every problem has a place, and that
// accepted files have complete specs which Check can check.
func FuzzLoad(f *testing.F) {
	seed := func(pattern string, add func(name string, data []byte)) {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds in %s: %v", pattern, err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			add(name, data)
		}
	}
	seed("testdata/good/*.yaml", func(_ string, data []byte) { f.Add(string(data), "", "A=1") })
	seed("testdata/wrong/*.txtar",
		func(_ string, data []byte) { f.Add(string(txtar.Parse(data).Files[0].Data), "", "") })
	f.Add("services: {a: {command: $A}}", "services: {a: {command: !reset, entrypoint: x}}", "A=x y")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, first, second, env string) {
		paths := []string{filepath.Join(dir, "first.yaml")}
		if second != "" {
			paths = append(paths, filepath.Join(dir, "second.yaml"))
		}
		for i, text := range []string{first, second}[:len(paths)] {
			if err := os.WriteFile(paths[i], []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		env = strings.ReplaceAll(env, "\x00", "") // no environment can have a zero byte
		file, err := Load(paths, strings.Split(env, "\n"), []string{"*"})
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, dir) && !strings.HasPrefix(line, "and ") {
					t.Errorf("a problem without its place: %q", line)
				}
			}
			return
		}
		for _, j := range file.Jobs {
			if j.Name == "" || len(j.Args) == 0 || j.Args[0] == "" || j.GracePeriod < 0 {
				t.Errorf("accepted as %+v", j)
			}
			if strings.ContainsRune(strings.Join(append(j.Args, j.Env...), ""), 0) {
				t.Errorf("a zero byte in %+v", j)
			}
		}
		_ = file.Check(func(name string, _ []string) (string, error) { return name, nil })
	})
}

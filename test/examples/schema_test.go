package examples

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, name string) (file map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder(name), "cginit.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSchema checks that the files of the examples are valid by the JSON schema.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(harness.Root(), "docs", "cginit.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := schema.Validate(read(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCompose checks that docker-compose accepts the files that have only keys of Compose, once they
// name an image.
func TestCompose(t *testing.T) {
	program := harness.Command(t, "docker-compose")
	for name, e := range all {
		if !e.compose {
			continue
		}
		file := read(t, name)
		for _, service := range file["services"].(map[string]any) {
			service.(map[string]any)["image"] = "debian"
		}
		text, err := yaml.Marshal(file)
		dir := t.TempDir()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "docker-compose.yml"), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, program, "config", "--quiet")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: docker-compose config: %v\n%s", name, err, out)
		}
	}
}

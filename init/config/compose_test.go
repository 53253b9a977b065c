package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestComposeAccepts checks that docker compose accepts a file that has only keys of Compose, once each
// service has an image.
func TestComposeAccepts(t *testing.T) {
	t.Parallel() // it waits for another program most of the time
	program, err := exec.LookPath("docker-compose")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("docker-compose is not installed: %v", err)
		}
		t.Skipf("docker-compose is not installed: %v", err)
	}
	const name = "testdata/good/compose.yaml"
	if _, err := Load([]string{name}, nil, []string{"*"}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, text := range map[string]string{"docker-compose.yml": withImages(string(data)), "app.env": "A=1\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "config", "--quiet")
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("docker-compose config: %v\n%s", err, out)
	}
}

// withImages adds an image to every service, which is a line below services that is indented by two.
func withImages(text string) string {
	_, services, _ := strings.Cut(text, "\nservices:\n")
	made := services
	for line := range strings.Lines(services) {
		if strings.HasPrefix(line, "  ") && line[2] != ' ' {
			made = strings.Replace(made, line, line+"    image: busybox\n", 1)
		}
	}
	return strings.Replace(text, services, made, 1)
}

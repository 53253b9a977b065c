package docker

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/harness"
)

// TestImage builds and runs the image and the examples as users of Docker do. It makes the two images
// that they would pull.
func TestImage(t *testing.T) {
	t.Parallel()
	d := v2(t)
	d.ImportGo(t, "golang:1.26")
	d.Import(t, "busybox", nil, engine.Busybox(t))
	d.Output(t, "build", "--network", "none", "--tag", "cginit", harness.Root())

	t.Run("is two small files", func(t *testing.T) {
		layers, size, _ := strings.Cut(d.Output(t, "inspect", "--format", "{{len .RootFS.Layers}} {{.Size}}", "cginit"), " ")
		if bytes, err := strconv.Atoi(size); layers != "1" || err != nil || bytes > 12<<20 {
			t.Errorf("the image has %s layers and %s bytes", layers, size)
		}
		if said := d.Output(t, "run", "--rm", "cginit", "--version"); !strings.Contains(said, "cginit") {
			t.Errorf("--version says %q", said)
		}
	})
	t.Run("example", func(t *testing.T) { example(t, d) })
	t.Run("compose", func(t *testing.T) { compose(t, d) })
}

var blocks = regexp.MustCompile("(?s)```sh\n(.*?)```")

// example runs the commands of the example's README in order.
func example(t *testing.T, d *daemon) {
	readme, err := os.ReadFile(filepath.Join(harness.Root(), "examples/docker/README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script := ""
	for _, block := range blocks.FindAllStringSubmatch(string(readme), -1) {
		script += block[1]
	}
	script = strings.ReplaceAll(script, "--security-opt writable-cgroups=true", strings.Join(d.writable, " "))
	script = strings.ReplaceAll(script, "/tmp/receipts", t.TempDir())
	log := shell(t, d, script)
	for _, want := range []string{
		"pidns", "the work is done", "killed", "sleep 900", // the job and a process that it left
		`"containment":"pidns"`, // the receipt
		"stopped after 9",       // docker stop
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the output lacks %q:\n%s", want, log)
		}
	}
	if jobs := strings.Count(log, "the work is done"); jobs != 3 {
		t.Errorf("%d of 3 jobs did their work:\n%s", jobs, log)
	}
}

// compose runs the job of docker-compose.yml, once unchanged and once with a writable cgroup.
func compose(t *testing.T, d *daemon) {
	option := "security_opt: [writable-cgroups=true]"
	if d.writable[0] == "--runtime" {
		option = "runtime: " + d.writable[1]
	}
	override := filepath.Join(t.TempDir(), "writable.yml")
	if err := os.WriteFile(override, []byte("services: {job: {"+option+"}}"), 0o644); err != nil {
		t.Fatal(err)
	}
	client := "docker-compose" // the plugin is preferred
	if err := d.Command(t, "compose", "version").Run(); err == nil {
		client = "docker compose"
	} else {
		harness.Command(t, "docker-compose")
	}
	for files, pidns := range map[string]bool{"-f docker-compose.yml": true, "-f docker-compose.yml -f " + override: false} {
		log := shell(t, d, client+" "+files+` build
			`+client+" "+files+` run --rm job || echo "status $?"
			`+client+" "+files+` down`)
		for _, want := range []string{"the work is done", "sleep 900", "1 killed; nothing is left", "status 3"} {
			if !strings.Contains(log, want) {
				t.Errorf("the output lacks %q:\n%s", want, log)
			}
		}
		if strings.Contains(log, "pidns") != pidns {
			t.Errorf("with %s the level is wrong:\n%s", files, log)
		}
	}
}

// shell runs a script as a user of the daemon, at the top of the repository.
func shell(t *testing.T, d *daemon, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*engine.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-exc", script)
	cmd.Dir, cmd.Env = harness.Root(), append(os.Environ(), d.Env...)
	cmd.Env = append(cmd.Env, "COMPOSE_PROJECT_NAME=cginit-test")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

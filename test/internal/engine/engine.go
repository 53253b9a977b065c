// Package engine runs containers for the docker and podman suites, through the engines' own
// command lines, and looks from outside whether anything of a container is left.
package engine

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Patience bounds every wait for an engine. It is long because machines are slow and an image may be
// compiled from scratch.
const Patience = 10 * time.Minute

// Engine is a container engine and the image that its containers are made of.
type Engine struct {
	Argv  []string // the command line that reaches the client
	Env   []string // more environment of the client
	Run   []string // options of every container
	Image string
	V2    string // the cgroup2 of the engine, as a path for this process; empty on cgroup v1
}

// Command returns the client with args. It is killed when the test ends or after Patience.
func (e *Engine) Command(t testing.TB, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	return e.command(ctx, args...)
}

func (e *Engine) command(ctx context.Context, args ...string) *exec.Cmd {
	argv := append(append([]string{}, e.Argv...), args...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), e.Env...)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// Output returns what the client prints to stdout for args. The client must succeed.
func (e *Engine) Output(t testing.TB, args ...string) string {
	t.Helper()
	return output(t, e.Command(t, args...))
}

func output(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// Import makes an image of the archive that write writes.
func (e *Engine) Import(t testing.TB, name string, changes []string, write func(io.Writer) error) {
	t.Helper()
	args := []string{"import"}
	for _, change := range changes {
		args = append(args, "--change", change)
	}
	cmd := e.Command(t, append(args, "-", name)...)
	in, out := io.Pipe()
	cmd.Stdin = in
	go func() { out.CloseWithError(write(out)) }()
	output(t, cmd)
}

// Afterwards runs the client when the test, and the context of the test, have ended.
func (e *Engine) Afterwards(t testing.TB, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	out, err := e.command(ctx, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// blocks returns the code blocks of a language in docs/control.md.
func blocks(t *testing.T, language string) (code []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/control.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		code = append(code, m[1])
	}
	return code
}

// missing skips the test if a program is not installed. In CI the test fails instead.
func missing(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed", program)
}

// document runs a program before a supervisor, and returns its output.
func document(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "CGINIT_SOCKET="+socketFor(t))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return string(out)
}

// expect fails the test for each of the words that is not in out.
func expect(t *testing.T, out string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("there is no %q in\n%s", w, out)
		}
	}
}

// TestDocumentShell runs the shell commands of docs/control.md.
func TestDocumentShell(t *testing.T) {
	for i, test := range []struct {
		program string
		want    []string
	}{
		{"sh", []string{"web: running", "web: stopped", "web: has reloaded", "web  running", "web: thawed", "healthy"}},
		{"sh", []string{"HELLO", "done", `"cause":"exited"`, "batch-1: killed"}},
		{"socat", []string{`"name":"web"`, `"cause":"stopped"`}},
	} {
		t.Run(test.program, func(t *testing.T) {
			missing(t, test.program)
			script := blocks(t, "sh")[i]
			if os.Geteuid() != 0 { // only root can run a job as another user
				script = regexp.MustCompile(`(?m)^.*--user auto.*$`).ReplaceAllString(script, "")
			}
			expect(t, document(t, "sh", "-ec", script), test.want...)
		})
	}
}

// TestDocumentPython runs the Python client of docs/control.md.
func TestDocumentPython(t *testing.T) {
	missing(t, "python3")
	file := filepath.Join(t.TempDir(), "client.py")
	if err := os.WriteFile(file, []byte(blocks(t, "python")[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, document(t, "python3", file), "web running", "says hello", "status 3 cause exited", "frozen: True",
		"io.cginit.NotFound {'job': 'nobody'}")
}

// TestDocumentGo checks that the Go code is in the example of the package, which is compiled.
func TestDocumentGo(t *testing.T) {
	example, err := os.ReadFile("../../init/control/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	expect(t, flat(string(example)), flat(blocks(t, "go")[0]))
}

// TestDocumentRun sends the call of Run that is shown, and checks that the server accepts it.
func TestDocumentRun(t *testing.T) {
	missing(t, "python3")
	out := document(t, "python3", "-c", `
import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(os.environ["CGINIT_SOCKET"])
s.sendall(sys.argv[1].encode() + b"\0"); print(s.recv(1 << 16))`, blocks(t, "json")[0])
	if strings.Contains(out, "Invalid") {
		t.Errorf("the reply is %s", out)
	}
}

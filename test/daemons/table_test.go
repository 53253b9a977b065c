package daemons

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
)

// head is the head of the table in docs/levels.md.
const head = "| daemon | Debian's version | sealed |\n| --- | --- | --- |\n"

// TestTable checks that docs/levels.md says of each daemon what its row here says. With UPDATE=1 it writes the table,
// with the versions that are installed.
func TestTable(t *testing.T) {
	file := filepath.Join(harness.Root(), "docs", "levels.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), head)
	if !found {
		t.Fatalf("%s has no table of daemons", file)
	}
	table, after, _ := strings.Cut(rest, "\n\n")
	versions := map[string]string{}
	for line := range strings.Lines(table) {
		if fields := strings.Split(line, " | "); len(fields) > 1 {
			versions[strings.TrimPrefix(fields[0], "| ")] = fields[1]
		}
	}
	update := os.Getenv("UPDATE") != ""
	want := ""
	for _, d := range all() {
		if update {
			versions[d.name] = d.version()
		}
		want += fmt.Sprintf("| %s | %s | %s |\n", d.name, versions[d.name], d.says())
	}
	if update {
		if err := os.WriteFile(file, []byte(before+head+strings.TrimSuffix(want, "\n")+"\n\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != strings.TrimSuffix(want, "\n") {
		t.Errorf("the table of %s differs; if this is right, store it with UPDATE=1 go test -run Table:\n%s", file, want)
	}
}

// version returns the version of the first of the daemon's packages.
func (d daemon) version() string {
	name, _, _ := strings.Cut(d.pkg, ",")
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output()
	if err != nil {
		return "none"
	}
	return string(out)
}

// says returns what the table says of the daemon when it is sealed.
func (d daemon) says() string {
	var lost []string
	for _, u := range d.lost {
		lost = append(lost, u.says)
	}
	if d.refused != "" {
		lost = append(lost, "`"+d.refused+"` in another sealed job (kill: EPERM)")
	}
	if len(lost) == 0 {
		return "works"
	}
	return "works; not: " + strings.Join(lost, "; ")
}

package programs

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocs checks that docs/daemons.md has the tables that follow from the table. With UPDATE=1 it writes them.
func TestDocs(t *testing.T) {
	const file = "../../../docs/daemons.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const first, second = "| program | version | stop |", "| program | what | what to do |"
	known, wrong := first+" time | ends | ready | reload | goes on after |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n", second+"\n| --- | --- | --- |\n"
	for line := range strings.Lines(table) {
		head, fields, isRow := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if line[0] == '#' || !isRow {
			continue
		}
		p := &Program{fields}
		name := title(head)
		if p.Field("wrapper") == "" {
			stop := "SIG" + cmp.Or(p.Field("stop"), "TERM")
			if good := p.Field("good"); good != "" {
				stop += ": it " + good
			}
			reload := cmp.Or(p.Field("noreload"), "–")
			if sig := p.Field("reload"); sig != "" {
				reload = "SIG" + sig
			}
			known += fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |\n", name, p.Field("version"), stop, cmp.Or(p.Field("takes"), "< 1s"),
				cmp.Or(p.Field("ends"), "–"), cmp.Or(p.Field("ready"), "–"), reload, p.Field("lives"))
		}
		for what, do := range p.faults() {
			wrong += fmt.Sprintf("| %s | %s | %s |\n", name, what, do)
		}
	}
	got, rest := string(text), ""
	for start, want := range map[string]string{first: known, second: wrong} {
		before, after, found := strings.Cut(got, start)
		if !found {
			t.Fatalf("%s has no %q", file, start)
		}
		if _, rest, found = strings.Cut(after, "\n\n"); !found {
			t.Fatalf("%s: nothing follows %q", file, start)
		}
		got = before + want + "\n" + rest
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != string(text) {
		t.Errorf("the tables of %s differ; store them with UPDATE=1 go test ./init/config/programs", file)
	}
}

// title returns the programs and arguments of a row.
func title(head string) string {
	var names, args []string
	for word := range strings.FieldsSeq(head) {
		if arg, is := strings.CutPrefix(word, "+"); is {
			args = append(args, "`"+arg+"`")
			continue
		}
		names = append(names, "`"+word+"`")
	}
	text := strings.Join(names, ", ")
	if len(args) > 0 {
		text += " with " + strings.Join(args, " or ")
	}
	return text
}

// faults yields what goes wrong with the program, and what to do about it.
func (p *Program) faults() func(yield func(what, do string) bool) {
	return func(yield func(what, do string) bool) {
		if w := p.Field("wrapper"); w != "" {
			yield(w, p.Field("instead"))
		}
		if term := p.Field("term"); term != "" {
			lasts := ""
			if f := p.Field("for"); f != "" {
				lasts = ", about " + f
			}
			yield(strings.TrimSuffix(term, ",")+" after SIGTERM"+lasts, cmp.Or(p.Field("fix"), "`stop_signal: SIG"+p.Field("stop")+"`"))
		}
		if f := strings.Fields(p.Field("foreground")); len(f) > 0 {
			yield("goes to the background", "add `"+strings.Join(f, "` or `")+"`")
		}
		if leaves := p.Field("leaves"); leaves != "" {
			yield("leaves behind "+leaves, "cginit ends what is left")
		}
	}
}

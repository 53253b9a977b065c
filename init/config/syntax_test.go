package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestInterpolate(t *testing.T) {
	vars := map[string]string{"SET": "value", "EMPTY": "", "_x1": "odd"}
	for s, want := range map[string]string{
		"plain":                         "plain",
		"$SET-${SET}":                   "value-value",
		"$_x1$$SET":                     "odd$SET",
		"${NONE}|$NONE":                 "|",
		"${SET:-d}${EMPTY:-d}${N:-d}":   "valuedd",
		"${SET-d}|${EMPTY-d}|${N-d}":    "value||d",
		"${SET:+r}|${EMPTY:+r}|${N:+r}": "r||",
		"${SET+r}|${EMPTY+r}|${N+r}":    "r|r|",
		"${SET:?e}${EMPTY?e}":           "value",
		"${N:-${M:-$SET}}":              "value",
		"${N:-{\"a\": 1}}":              `{"a": 1}`,
		"${SET:-${N?not wanted}}":       "value",
		"${N:-$$}":                      "$",
		"a}b{c":                         "a}b{c",

		"${N:?say so}": "error: the variable N is required: say so",
		"${EMPTY:?}":   "error: the variable EMPTY is required but not set",
		"${N?$SET}":    "error: the variable N is required: value",
		"$":            "error: " + errDollar.Error(),
		"$(date)":      "error: " + errDollar.Error(),
		"${1}":         "error: " + errDollar.Error(),
		"${}":          "error: " + errDollar.Error(),
		"${SET":        "error: " + errOpen.Error(),
		"${SET:-a":     "error: " + errOpen.Error(),
		"${SET:":       "error: " + errOpen.Error(),
		"${SET:=d}":    "error: ${SET must be followed by one of } :- - :? ? :+ +",
		"${SET!}":      "error: ${SET must be followed by one of } :- - :? ? :+ +",
	} {
		got, err := interpolate(s, func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
			func(string) {})
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

// TestInterpolateBounds checks the bounds of the length and of the depth.
func TestInterpolateBounds(t *testing.T) {
	long := strings.Repeat("x", 1000)
	lookup := func(string) (string, bool) { return long, true }
	if _, err := interpolate(strings.Repeat("$A", maxText), lookup, nil); err != errLong {
		t.Errorf("a text that grows beyond the bound: %v", err)
	}
	for depth, want := range map[int]error{maxDepth: nil, maxDepth + 1: errDeep, 100_000: errDeep} {
		deep := strings.Repeat("${N:-", depth) + "x" + strings.Repeat("}", depth)
		_, err := interpolate(deep, func(string) (string, bool) { return "", false }, func(string) {})
		if err != want {
			t.Errorf("%d deep: %v", depth, err)
		}
	}
}

func TestSplitWords(t *testing.T) {
	for s, want := range map[string][]string{
		"":                       nil,
		" \t\n":                  nil,
		"a b  c\n":               {"a", "b", "c"},
		`'a b' "c d"e\ f`:        {"a b", "c de f"},
		`'' ""`:                  {"", ""},
		`"a\"b\\c\d$x" '\n"'`:    {`a"b\c\d$x`, `\n"`},
		"a \\\n b":               {"a", "b"},
		"\"a\\\nb\"":             {"ab"},
		`sh -c 'a | b && c > d'`: {"sh", "-c", "a | b && c > d"},
		`a \| b`:                 {"a", "|", "b"},
		`--x="y z"`:              {"--x=y z"},
	} {
		got, err := splitWords(s)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", s, got, err, want)
		}
	}
	for s, want := range map[string]string{
		"a | b": `"|"`, "a && b": `"&"`, "a > b": `">"`, "a `b`": "\"`\"", "a; b": `";"`,
		"a 'b": "the quote ' is not closed", `a "b\"`: `the quote " is not closed`, `a \`: "backslash",
	} {
		if got, err := splitWords(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v, want an error with %s", s, got, err, want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"10s": 10 * time.Second, "1m30s": 90 * time.Second, "0": 0, "2d": 48 * time.Hour, "1w2d3h": 219 * time.Hour,
		"1.5d": 36 * time.Hour, "500ms": 500 * time.Millisecond, "0s": 0,
	} {
		if got, err := ParseDuration(s); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", "10", "d", "1x", "1d1w", "w1", "NaNd", "Infd", "1e300d", "9999999w", "9999999h", "1d10", "- 5s",
	} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("%q is accepted as %s", s, got)
		}
	}
}

func TestEnvFile(t *testing.T) {
	for text, want := range map[string][]string{
		"A=1\nB=2":                       {"A=1", "B=2"},
		"\ufeffA=1\r\nexport B = 2 \n":   {"A=1", "B=2"},
		"# no\n  # no\n\nA=":             {"A="},
		"A=x # y\nB=x#y\nC=#z":           {"A=x", "B=x#y", "C="},
		"A='1\n2' # c\nB=\"x\\ty\\\\\" ": {"A=1\n2", "B=x\ty\\"},
		"A=1\nB=$A-${HOST}\nC='$A'":      {"A=1", "B=1-h", "C=$A"},
		"A=\"\\$B\"":                     {"A=$B"},
		"HOST\nNONE":                     {"HOST=h"},
		"A=1\nA=2":                       {"A=2"},
		"A='it''s'":                      nil,
		"A='":                            nil,
		"A=\"x\ny":                       nil,
		"A B=1":                          nil,
		"=1":                             nil,
		"A=${B":                          nil,
		"A='x' y":                        nil,
		"A: 1":                           nil,
		"A=\x00":                         nil,
	} {
		e := newEnviron(nil)
		in := envReader{
			vars: e, own: newEnviron(nil), from: []string{"HOST=h"}, rest: strings.TrimPrefix(text, "\ufeff"), line: 1,
		}
		var err error
		for in.rest != "" && err == nil {
			err = in.next()
		}
		if (err != nil) != (want == nil) || err == nil && !slices.Equal(e.strings(), want) {
			t.Errorf("%q: %q, %v, want %q", text, e.strings(), err, want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	words := []string{"command", "environment", "env_file", "restart", "user"}
	for s, want := range map[string]string{
		"comand": "command", "enviroment": "environment", "usre": "user", "restrat": "restart", "envfile": "env_file",
		"zzz": "", "": "", strings.Repeat("command", 100): "",
	} {
		if got := didYouMean(s, words); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%.20q: %q, want %q", s, got, want)
		}
	}
}

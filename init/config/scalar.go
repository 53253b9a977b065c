package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The JSON schemas of scalars. Numbers may be strings, since a variable is one.
const (
	schemaText   = `{"type":"string"}`
	schemaNumber = `{"type":["integer","string"]}`
	schemaAmount = `{"type":["number","string"]}`
)

// parsed reads a scalar of any type with the function parse. A number or a boolean may be written as a
// string, since a variable is one.
func parsed[V any](schema string, parse func(text string) (V, error)) value[V] {
	return value[V]{&shape{schema: schema}, func(p *problems, n *node) (v V, ok bool) {
		if !p.must(n, scalarKind, "a single value") {
			return v, false
		}
		v, err := parse(n.text)
		if err != nil {
			p.wrong(n, "%v", err)
		}
		return v, err == nil
	}}
}

// quoted reads a string with the function parse. As in Compose, a scalar that YAML takes for a number or
// a boolean is not a string.
func quoted[V any](schema string, parse func(text string) (V, error)) value[V] {
	plain := parsed(schema, parse)
	return value[V]{plain.shape, func(p *problems, n *node) (V, bool) {
		if n.kind == scalarKind && (n.typ == "!!int" || n.typ == "!!float" || n.typ == "!!bool") {
			p.wrong(n, "it must be a string, not %s: write %q", n.is(), n.text)
			var none V
			return none, false
		}
		if n.kind != scalarKind {
			p.must(n, scalarKind, "a string")
			var none V
			return none, false
		}
		return plain.read(p, n)
	}}
}

// text reads a string.
func text() value[string] {
	return quoted(schemaText, func(s string) (string, error) { return s, nil })
}

// located reads a string or number and keeps its place, for values that the resolver parses.
func located() value[*node] {
	return value[*node]{&shape{schema: schemaNumber}, func(p *problems, n *node) (*node, bool) {
		if ok := p.must(n, scalarKind, "a string"); !ok || n.text != "" {
			return n, ok
		}
		p.wrong(n, "the value is empty; give one, or leave the key out")
		return n, false
	}}
}

// boolean reads true or false, in the spellings of YAML 1.1.
func boolean() value[bool] {
	return parsed(`{"type":["boolean","string"]}`, func(s string) (bool, error) {
		switch strings.ToLower(s) {
		case "true", "yes", "on", "y":
			return true, nil
		case "false", "no", "off", "n":
			return false, nil
		}
		return false, fmt.Errorf("%q is not true or false", s)
	})
}

// integer reads a whole number from low to high.
func integer(low, high int64) value[int64] {
	return parsed(schemaNumber, func(s string) (int64, error) {
		n, err := strconv.ParseInt(s, 10, 64)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange), err == nil && strconv.FormatInt(n, 10) != s:
			return 0, fmt.Errorf("%q is not a whole number", s)
		case err == nil && n >= low && n <= high:
			return n, nil
		case high == math.MaxInt64:
			return 0, fmt.Errorf("%s is out of range; the least is %d", s, low)
		}
		return 0, fmt.Errorf("%s is not between %d and %d", s, low, high)
	})
}

// count reads a whole number from low to high as an int.
func count(low, high int64) value[int] {
	i := integer(low, high)
	return value[int]{i.shape, func(p *problems, n *node) (int, bool) {
		v, ok := i.read(p, n)
		return int(v), ok
	}}
}

// word reads one of a few words.
func word[W ~string](words ...W) value[W] {
	spelled := make([]string, len(words))
	for i, w := range words {
		spelled[i] = string(w)
	}
	// A text with a variable in it may become one of them.
	schema := `{"anyOf":[{"enum":["` + strings.Join(spelled, `","`) + `"]},{"type":"string","pattern":"\\$"}]}`
	return quoted(schema, func(s string) (W, error) {
		if !slices.Contains(spelled, s) {
			return "", fmt.Errorf("%q is not one of %s", s, strings.Join(spelled, ", "))
		}
		return W(s), nil
	})
}

// path reads an absolute path. A relative one is refused, because its folder would be unclear.
func path() value[string] {
	return quoted(schemaText, func(s string) (string, error) {
		if !strings.HasPrefix(s, "/") {
			return "", fmt.Errorf("%q must be an absolute path, such as /%s", s, strings.TrimPrefix(s, "./"))
		}
		return s, nil
	})
}

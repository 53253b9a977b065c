package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sys/unix"
)

// The bounds of a file. Aliases are counted as often as they are used, so that a few lines
// cannot become a billion values.
const (
	maxFile  = 1 << 20 // bytes
	maxNodes = 100_000
	maxBytes = 16 << 20 // of all texts, variables put in
	maxDepth = 64
)

// readFile reads a file that a person named.
func readFile(name string) ([]byte, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0) // a fifo must not hold us
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", cause(err))
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("it is a directory, not a file")
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot be read: %w", cause(err))
	case len(data) > maxFile:
		return nil, fmt.Errorf("it is longer than %d bytes", maxFile)
	case !utf8.Valid(data):
		return nil, errors.New("it is not UTF-8 text")
	}
	return data, nil
}

// cause is an error without the name of the file, which the message has anyway.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// parseYAML returns the one document of a file, or the line of what is wrong.
func parseYAML(data []byte) (doc *yaml.Node, line int, err error) {
	defer func() {
		// The library panics where it doubts itself; a wrong file must not end process 1.
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("the YAML cannot be understood: %v", r)
		}
	}()
	lines := &lineReader{rest: data}
	decoder := yaml.NewDecoder(lines)
	var first, second yaml.Node
	err = decoder.Decode(&first)
	switch {
	case errors.Is(err, io.EOF) || err == nil && first.Content[0].Tag == "!!null":
		return nil, 0, errors.New("it is empty; it must have services or jobs")
	case err == nil:
		err = decoder.Decode(&second)
	}
	switch {
	case errors.Is(err, io.EOF):
		return first.Content[0], 0, nil
	case err != nil:
		line, err := lines.explain(err)
		return nil, line, err
	}
	return nil, second.Line, errors.New("a second document begins here; a file has one")
}

// lineReader gives the library one line at a time, to know how far it came: its errors tell no
// more than where the block begins that is wrong.
type lineReader struct {
	rest  []byte
	lines int // that have been begun
	mid   bool
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := len(r.rest)
	if i := bytes.IndexByte(r.rest, '\n'); i >= 0 {
		n = i + 1
	}
	n = copy(p, r.rest[:n])
	if !r.mid {
		r.lines++
	}
	r.mid = p[n-1] != '\n'
	r.rest = r.rest[n:]
	return n, nil
}

// ofParser begin the messages whose line is counted from 0, and is that of the block's begin.
var ofParser = []string{"key", "'-'", "','", "node", "<"}

// explain makes a message of ours of the library's, and takes the line out of it.
func (r *lineReader) explain(err error) (line int, _ error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if after, ok := strings.CutPrefix(message, "line "); ok {
		number, rest, _ := strings.Cut(after, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, message = n, rest
		}
	}
	expected, missing := strings.CutPrefix(message, "did not find expected ")
	inBlock := missing && slices.ContainsFunc(ofParser, func(s string) bool { return strings.HasPrefix(expected, s) })
	switch {
	case inBlock:
		return line + 1, fmt.Errorf("not YAML: %s in the block that begins here; noticed in line %d at the latest", message, r.lines)
	case line == 0:
		return 0, fmt.Errorf("not YAML: %s; noticed in line %d at the latest", message, r.lines)
	}
	return line, errors.New("not YAML: " + message)
}

// tree turns the library's nodes into ours: aliases and merge keys followed, variables put in.
type tree struct {
	*source
	*problems
	lookup func(string) (string, bool)
	inside []*yaml.Node // the anchors whose aliases are being followed
	nodes  int
	bytes  int
	full   bool // a bound was passed: that is said once, and nothing more is read
}

func (t *tree) place(y *yaml.Node) position { return position{t.source, y.Line, y.Column} }

func (t *tree) grow(y *yaml.Node, text string) bool {
	t.nodes++
	t.bytes += len(text)
	if !t.full && (t.nodes > maxNodes || t.bytes > maxBytes) {
		t.full = true
		t.add(t.place(y), "", "with its aliases and variables the file has more than %d values or %d bytes", maxNodes, maxBytes)
	}
	return !t.full
}

func (t *tree) convert(y *yaml.Node, depth int) *node {
	n := &node{at: t.place(y), keyAt: t.place(y)}
	switch {
	case !t.grow(y, ""):
		return n
	case depth > maxDepth:
		t.add(n.at, "", "values are nested deeper than %d", maxDepth)
		return n
	}
	t.readTag(y, n)
	switch y.Kind {
	case yaml.AliasNode:
		return t.follow(y, depth)
	case yaml.ScalarNode:
		t.readScalar(y, n)
	case yaml.SequenceNode:
		n.kind = list
		for _, item := range y.Content {
			n.items = append(n.items, t.convert(item, depth+1))
		}
	case yaml.MappingNode:
		n.kind = mapping
		t.readMapping(y, n, depth)
	}
	return n
}

func (t *tree) follow(y *yaml.Node, depth int) *node {
	if slices.Contains(t.inside, y.Alias) {
		t.add(t.place(y), "", "the anchor &%s contains itself", y.Value)
		return &node{at: t.place(y), keyAt: t.place(y)}
	}
	t.inside = append(t.inside, y.Alias)
	defer func() { t.inside = t.inside[:len(t.inside)-1] }()
	return t.convert(y.Alias, depth+1)
}

var knownTags = []string{
	"!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!map", "!!seq", "!!merge", "!reset", "!override", "",
}

func (t *tree) readTag(y *yaml.Node, n *node) {
	switch {
	case y.Tag == "!reset" || y.Tag == "!override":
		n.tag = y.Tag
	case y.Kind != yaml.AliasNode && !slices.Contains(knownTags, y.Tag):
		t.add(n.at, "", "unknown tag %s", y.Tag)
	}
}

func (t *tree) readScalar(y *yaml.Node, n *node) {
	if n.typ = y.Tag; n.typ == "!!null" || n.tag == "!reset" {
		return
	}
	n.kind = scalar
	text, err := interpolate(y.Value, t.lookup, func(name string) {
		t.warn(fmt.Sprintf("%s: the variable %s is not set, so it is empty here", n.at, name))
	})
	switch {
	case err != nil:
		t.add(n.at, "", "%v", err)
	case strings.ContainsRune(text, 0):
		t.add(n.at, "", "a text cannot have a zero byte in it")
	case text != y.Value:
		n.typ = "!!str" // whatever it looks like now
	}
	if t.grow(y, text) {
		n.text = text
	}
}

func (t *tree) readMapping(y *yaml.Node, n *node, depth int) {
	var merged []*yaml.Node
	seen := map[string]position{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		before, twice := seen[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			t.add(t.place(key), "", "a key must be a word, not a list or a mapping")
		case key.Tag == "!!merge":
			merged = append(merged, value)
		case twice:
			t.add(t.place(key), "", "the key %q is already in line %d", key.Value, before.line)
		default:
			seen[key.Value] = t.place(key)
			t.put(n, key.Value, t.place(key), t.convert(value, depth+1))
		}
	}
	for _, from := range merged {
		t.mergeKey(n, from, depth)
	}
}

func (t *tree) put(n *node, key string, at position, value *node) {
	value.keyAt = at
	n.pairs = append(n.pairs, pair{key, value})
}

// mergeKey adds what a merge key (<<) names, where n has not the key itself.
func (t *tree) mergeKey(n *node, from *yaml.Node, depth int) {
	values := []*node{t.convert(from, depth+1)}
	if values[0].kind == list {
		values = values[0].items
	}
	has := n.index()
	for _, value := range values {
		if value.kind != mapping && !t.full {
			t.add(t.place(from), "", "<< must name a mapping, or a list of mappings")
		}
		for _, p := range value.pairs {
			if _, ok := has[p.key]; !ok {
				has[p.key] = len(n.pairs)
				n.pairs = append(n.pairs, p)
			}
		}
	}
}

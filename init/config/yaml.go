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

// maxFile bounds the length of a file, in bytes.
const maxFile = 1 << 20

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

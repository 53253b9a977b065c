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

// maxFile is the longest file that is read, in bytes.
const maxFile = 1 << 20

// readFile returns the content of a file. It refuses what is not UTF-8 text of at most maxFile bytes.
func readFile(name string) ([]byte, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0) // a FIFO must not block process 1
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
		return nil, fmt.Errorf("the file is longer than %d bytes", maxFile)
	case !utf8.Valid(data):
		return nil, errors.New("the file is not UTF-8 text")
	}
	return data, nil
}

// cause returns an error without the path, which the message has already.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// parseYAML returns the one document of a file, or an error and its line; line 0: not known.
func parseYAML(data []byte) (doc *yaml.Node, line int, err error) {
	defer func() {
		// The library has panics for its own mistakes. A wrong file must not end process 1.
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("the YAML library failed on this file: %v", r)
		}
	}()
	lines := &lineReader{rest: data}
	decoder := yaml.NewDecoder(lines)
	var first, second yaml.Node
	err = decoder.Decode(&first)
	switch {
	case errors.Is(err, io.EOF) || err == nil && first.Content[0].Tag == "!!null":
		return nil, 0, errors.New("the file is empty; it must have services or jobs")
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
	return nil, second.Line, errors.New("a second document begins here; put it into a file of its own")
}

// lineReader gives the library one line at a time, and counts them. The library's errors have only the
// line in which a wrong block begins; the count is the line up to which the mistake must be.
type lineReader struct {
	rest  []byte
	lines int  // how many lines have been begun
	mid   bool // the last read ended in the middle of a line
}

// Read implements io.Reader.
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

// parserExpects has the beginnings of the library's messages whose line counts from 0, and is the line in
// which the block begins.
var parserExpects = []string{"key", "'-'", "','", "node", "<"}

// explain returns the line and the message of an error of the library, worded like other problems.
func (r *lineReader) explain(err error) (line int, _ error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if after, ok := strings.CutPrefix(message, "line "); ok {
		number, rest, _ := strings.Cut(after, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, message = n, rest
		}
	}
	expected, missing := strings.CutPrefix(message, "did not find expected ")
	inBlock := missing && slices.ContainsFunc(parserExpects,
		func(s string) bool { return strings.HasPrefix(expected, s) })
	switch {
	case inBlock:
		return line + 1, fmt.Errorf("not YAML: %s in the block that begins here; the mistake is in line %d or above "+
			"it", message, r.lines)
	case line == 0:
		return 0, fmt.Errorf("not YAML: %s; the mistake is in line %d or above it", message, r.lines)
	}
	return line, errors.New("not YAML: " + message)
}

package config

import (
	"errors"
	"fmt"
	"strings"
)

// command reads a list of words, or a text that is split into words by the rules of a shell. No shell
// runs the command.
func command() value[[]string] {
	words := listOf(text())
	return value[[]string]{
		&shape{schema: schemaText, also: []*shape{words.shape}, nullable: true, whole: true},
		func(p *problems, n *node) ([]string, bool) {
			if n.kind == listKind {
				return words.read(p, n)
			}
			if !p.must(n, scalarKind, "a string or a list") {
				return nil, false
			}
			line, ok := text().read(p, n)
			if !ok {
				return nil, false
			}
			args, err := splitWords(line)
			if err != nil {
				p.wrong(n, "%v", err)
			}
			return args, err == nil
		},
	}
}

// shellOperators are characters that only a shell acts on. Passing them on as letters would surprise
// the author of the file, so they must be quoted.
const shellOperators = ";&|<>`"

// splitWords splits a line by the rules of a shell: blanks separate words, quotes and backslashes keep
// them together. It expands nothing.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	open := false // a word has begun; it may still be empty
	for s != "" {
		c := s[0]
		s = s[1:]
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			if open {
				words = append(words, word.String())
				word.Reset()
			}
			open = false
			continue
		case c == '\'' || c == '"':
			rest, err := quotedWord(&word, s, c)
			if err != nil {
				return nil, err
			}
			s = rest
		case c == '\\' && s == "":
			return nil, errors.New(`the command ends with a backslash that escapes nothing; remove it, or write \\`)
		case c == '\\' && s[0] == '\n':
			s = s[1:]
			continue
		case c == '\\':
			word.WriteByte(s[0])
			s = s[1:]
		case strings.IndexByte(shellOperators, c) >= 0:
			return nil, fmt.Errorf(
				`no shell runs this command, so %q has no effect; quote it, or use ["sh", "-c", "..."]`, string(c))
		default:
			word.WriteByte(c)
		}
		open = true
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

// quotedWord writes the text before the closing quote into word, and returns the text after it.
func quotedWord(word *strings.Builder, s string, quote byte) (rest string, err error) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return s[i+1:], nil
		case quote == '"' && s[i] == '\\' && i+1 < len(s) && strings.IndexByte("\"\\$`\n", s[i+1]) >= 0:
			i++
			if s[i] == '\n' {
				continue
			}
		}
		word.WriteByte(s[i])
	}
	return "", fmt.Errorf("the quote %c is not closed", quote)
}

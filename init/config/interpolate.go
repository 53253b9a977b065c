package config

import (
	"errors"
	"fmt"
	"strings"
)

// maxText bounds the length of a value with its variables, in bytes. A file that names one long variable
// many times must not fill the memory of process 1.
const maxText = 1 << 20

// interpolate returns s with its variables replaced, by the rules of Compose: $V, ${V}, ${V:-default},
// ${V:?error}, ${V:+replacement}, and $$ for a dollar. Without the colon an empty variable counts as
// set. interpolate calls unset for each variable that is not set and has no default.
func interpolate(s string, lookup func(string) (string, bool), unset func(name string)) (string, error) {
	if !strings.Contains(s, "$") {
		return s, nil
	}
	in := interpolation{rest: s, lookup: lookup, unset: unset}
	return in.text(false, true)
}

// interpolation reads a text once, from left to right.
type interpolation struct {
	rest   string // the text that is not read yet
	depth  int    // of nested ${
	lookup func(string) (string, bool)
	unset  func(string)
}

var (
	errLong   = fmt.Errorf("with its variables this value is longer than %d bytes", maxText)
	errDollar = errors.New(`a $ must be followed by the name of a variable or by {NAME}; write $$ for a dollar`)
	errDeep   = fmt.Errorf("more than %d ${ are nested in each other", maxDepth)
	errOpen   = errors.New("a ${ is not closed; add the }")
)

// text reads up to the end, or, if inside is true, up to the brace that closes the variable. It returns
// the text with its variables replaced. If the result is not wanted, unset variables are not reported
// and required ones are no error.
func (in *interpolation) text(inside, wanted bool) (string, error) {
	var out strings.Builder
	for depth := 0; ; {
		i := strings.IndexAny(in.rest, "${}")
		if i < 0 {
			if inside {
				return "", errOpen
			}
			i = len(in.rest)
		}
		out.WriteString(in.rest[:i])
		if out.Len() > maxText {
			return "", errLong
		}
		if in.rest = in.rest[i:]; in.rest == "" {
			return out.String(), nil
		}
		c := in.rest[0]
		in.rest = in.rest[1:]
		switch {
		case c == '$':
			value, err := in.variable(wanted)
			if err != nil {
				return "", err
			}
			out.WriteString(value)
			continue
		case c == '}' && inside && depth == 0:
			return out.String(), nil
		case c == '}':
			depth--
		case c == '{':
			depth++
		}
		out.WriteByte(c)
	}
}

// variable reads the part after a dollar, and returns what it stands for.
func (in *interpolation) variable(wanted bool) (string, error) {
	switch {
	case strings.HasPrefix(in.rest, "$"):
		in.rest = in.rest[1:]
		return "$", nil
	case !strings.HasPrefix(in.rest, "{"):
		name := in.name()
		if name == "" {
			return "", errDollar
		}
		value, set := in.lookup(name)
		if !set && wanted {
			in.unset(name)
		}
		return value, nil
	}
	in.rest = in.rest[1:]
	name := in.name()
	if name == "" {
		return "", errDollar
	}
	return in.braced(name, wanted)
}

// braced reads the part after ${NAME, and returns what the variable stands for.
func (in *interpolation) braced(name string, wanted bool) (string, error) {
	value, set := in.lookup(name)
	if rest, ok := strings.CutPrefix(in.rest, "}"); ok {
		in.rest = rest
		if !set && wanted {
			in.unset(name)
		}
		return value, nil
	}
	rest, colon := strings.CutPrefix(in.rest, ":")
	if rest == "" {
		return "", errOpen
	}
	operator := rest[0]
	in.rest = rest[1:]
	there := set && (!colon || value != "")
	if in.depth++; in.depth > maxDepth {
		return "", errDeep
	}
	defer func() { in.depth-- }()
	needed := there == (operator == '+') // the word is the result, or the error message
	word, err := in.text(true, wanted && needed)
	if err != nil {
		return "", err
	}
	switch {
	case operator != '-' && operator != '?' && operator != '+':
		return "", fmt.Errorf("${%s must be followed by one of } :- - :? ? :+ +", name)
	case !needed && operator != '+':
		return value, nil
	case !needed:
		return "", nil
	case operator == '?' && wanted:
		return "", missing(name, word)
	}
	return word, nil
}

// missing returns the error for a required variable that is not set.
func missing(name, message string) error {
	if message == "" {
		return fmt.Errorf("the variable %s is required but not set", name)
	}
	return fmt.Errorf("the variable %s is required: %s", name, message)
}

// name reads the name of a variable; empty if there is none.
func (in *interpolation) name() string {
	i := 0
	for i < len(in.rest) && isNameByte(in.rest[i], i == 0) {
		i++
	}
	name := in.rest[:i]
	in.rest = in.rest[i:]
	return name
}

func isNameByte(c byte, first bool) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || !first && c >= '0' && c <= '9'
}

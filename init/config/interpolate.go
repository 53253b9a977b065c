package config

import (
	"errors"
	"fmt"
	"strings"
)

// maxText bounds what a value may grow to, in bytes: a file must not fill the memory of
// process 1 by naming one long variable often.
const maxText = 1 << 20

// interpolate puts variables into s as Compose does: $V, ${V}, ${V:-default}, ${V:?error},
// ${V:+replacement}, the same without the colon (then an empty variable counts as set), and
// $$ for a dollar. unset is called for a variable that is not there and has no default.
func interpolate(s string, lookup func(string) (string, bool), unset func(name string)) (string, error) {
	if !strings.Contains(s, "$") {
		return s, nil
	}
	in := interpolation{rest: s, lookup: lookup, unset: unset}
	out, err := in.text(false, true)
	return out, err
}

// interpolation reads its text once, from left to right.
type interpolation struct {
	rest   string
	depth  int // of nested braces
	lookup func(string) (string, bool)
	unset  func(string)
}

var (
	errLong   = fmt.Errorf("with its variables it is longer than %d bytes", maxText)
	errDollar = errors.New(`after a $ there must be a variable's name or {NAME}; write $$ for a dollar`)
	errDeep   = fmt.Errorf("more than %d ${ are nested", maxDepth)
	errOpen   = errors.New("a ${ is never closed")
)

// text reads up to the end, or inside of braces up to the one that closes them. Where it is
// not wanted, the variables in it are neither looked up nor required.
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

// variable reads what follows a dollar.
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

// braced reads what follows ${NAME.
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
	needed := there == (operator == '+') // what follows is the answer, or the error
	word, err := in.text(true, wanted && needed)
	if err != nil {
		return "", err
	}
	switch {
	case operator != '-' && operator != '?' && operator != '+':
		return "", fmt.Errorf("after ${%s there must be one of } :- - :? ? :+ +", name)
	case !needed && operator != '+':
		return value, nil
	case !needed:
		return "", nil
	case operator == '?' && wanted:
		return "", missing(name, word)
	}
	return word, nil
}

func missing(name, message string) error {
	if message == "" {
		return fmt.Errorf("the variable %s is required, and is not set", name)
	}
	return fmt.Errorf("the variable %s is required: %s", name, message)
}

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

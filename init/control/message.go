package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"unicode/utf8"
)

// MaxMessage bounds a message from a client, in bytes.
const MaxMessage = 1 << 20

// request is a call as it is on the wire.
type request struct {
	Method     string          `json:"method"`
	Parameters json.RawMessage `json:"parameters,omitempty"`
	Oneway     bool            `json:"oneway,omitempty"`
	More       bool            `json:"more,omitempty"`
	Upgrade    bool            `json:"upgrade,omitempty"`
}

// reply is an answer to a call as it is on the wire.
type reply struct {
	Error      string `json:"error,omitempty"`
	Parameters any    `json:"parameters"`
	Continues  bool   `json:"continues,omitempty"`
}

// encode returns the message, its NUL included.
func (r reply) encode() []byte {
	b, err := json.Marshal(r)
	if err != nil { // a number that JSON does not have: NaN
		b, _ = json.Marshal(errorReply(Failed{Reason: "the reply cannot be written: " + err.Error()}))
	}
	return append(b, 0)
}

// parseRequest reads a message, without its NUL.
func parseRequest(message []byte) (*request, error) {
	var r request
	switch err := json.Unmarshal(message, &r); {
	case !utf8.Valid(message):
		return nil, Malformed{"it is not UTF-8"}
	case err != nil:
		return nil, Malformed{err.Error()}
	case r.Method == "":
		return nil, Malformed{"it names no method"}
	}
	return &r, nil
}

// into decodes parameters. Unlike JSON at large it takes no key that it does not know: a
// limit whose name is misspelt would not be there.
func (r *request) into(v any) error {
	if len(r.Parameters) == 0 {
		return required(v)
	}
	d := json.NewDecoder(bytes.NewReader(r.Parameters))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return required(v)
	case errors.As(err, &mismatch) && mismatch.Field != "":
		return InvalidParameter{strings.ReplaceAll(mismatch.Field, ".Process.", ".")} // OCIProcess embeds it
	}
	// The decoder has no type for this error.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return InvalidParameter{strings.Trim(name, `"`)}
	}
	return InvalidParameter{"parameters"}
}

// required finds a parameter that may not be left out, and was. Those that may have omitempty.
func required(v any) error {
	s := reflect.ValueOf(v).Elem()
	for i := range s.NumField() {
		name, options, _ := strings.Cut(s.Type().Field(i).Tag.Get("json"), ",")
		if options == "" && s.Field(i).IsZero() {
			return InvalidParameter{name}
		}
	}
	return nil
}

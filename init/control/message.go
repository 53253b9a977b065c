package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"unicode/utf8"
)

// MaxMessage is how many bytes a message of a client can have, the NUL included.
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

// encode returns the reply as JSON with the NUL after it.
func (r reply) encode() []byte {
	b, err := json.Marshal(r)
	if err != nil { // it contains a number that JSON does not have, such as NaN
		b, _ = json.Marshal(errorReply(Failed{Reason: "cannot encode the reply: " + err.Error()}))
	}
	return append(b, 0)
}

// parseRequest parses a message without its NUL. The error is Malformed.
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

// decodeInto decodes the parameters into v, a pointer to the parameters of the method. It refuses
// unknown keys, because a limit with a misspelt name would not be in force. The error is
// InvalidParameter.
func (r *request) decodeInto(v any) error {
	if len(r.Parameters) == 0 {
		return checkRequired(v)
	}
	d := json.NewDecoder(bytes.NewReader(r.Parameters))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return checkRequired(v)
	case errors.As(err, &mismatch) && mismatch.Field != "":
		// OCIProcess embeds specs.Process, which is not a part of the name on the wire.
		return InvalidParameter{strings.ReplaceAll(mismatch.Field, ".Process.", ".")}
	}
	// The decoder has no type for this error.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return InvalidParameter{strings.Trim(name, `"`)}
	}
	return InvalidParameter{"parameters"}
}

// checkRequired returns InvalidParameter for a parameter that is missing. Those with omitempty may be
// missing.
func checkRequired(v any) error {
	s := reflect.ValueOf(v).Elem()
	for i := range s.NumField() {
		name, options, _ := strings.Cut(s.Type().Field(i).Tag.Get("json"), ",")
		if options == "" && s.Field(i).IsZero() {
			return InvalidParameter{name}
		}
	}
	return nil
}

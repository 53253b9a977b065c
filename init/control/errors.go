package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// The errors of the interface io.cginit. The name of an error on the wire is that of its type.
type (
	// NotFound says that there is no job of that name.
	NotFound struct {
		Job string `json:"job"`
	}
	// NotPermitted says that the caller may not do that.
	NotPermitted struct {
		Reason string `json:"reason"`
	}
	// InvalidState says that the job cannot do that in its present state.
	InvalidState struct {
		Job    string `json:"job"`
		State  State  `json:"state"`
		Reason string `json:"reason"`
	}
	// AlreadyExists says that another job has the name.
	AlreadyExists struct {
		Job string `json:"job"`
	}
	// Busy says that a limit on connections, messages or jobs has been reached.
	Busy struct {
		Reason string `json:"reason"`
	}
	// InvalidValue says that a parameter has the right type and an impossible value.
	InvalidValue struct {
		Parameter string `json:"parameter"`
		Reason    string `json:"reason"`
	}
	// NotSupported says that this container or this kernel cannot do that.
	NotSupported struct {
		Reason string `json:"reason"`
	}
	// Failed says that the supervisor tried and failed. Job is empty if it is not about a job.
	Failed struct {
		Job    string `json:"job"`
		Reason string `json:"reason"`
	}
	// TimedOut says that these jobs did not reach the state in time.
	TimedOut struct {
		Jobs []string `json:"jobs"`
	}
	// ShuttingDown says that the supervisor is stopping all jobs and starts none.
	ShuttingDown struct{}
	// Malformed says that what was sent is not a message of the protocol.
	Malformed struct {
		Reason string `json:"reason"`
	}
)

func (e NotFound) Error() string {
	return fmt.Sprintf("there is no job %q (cginitctl ps lists them)", e.Job)
}

func (e NotPermitted) Error() string { return "not permitted: " + e.Reason }

func (e InvalidState) Error() string { return fmt.Sprintf("%s is %s: %s", e.Job, e.State, e.Reason) }

func (e AlreadyExists) Error() string {
	return fmt.Sprintf("there is a job %q already; choose another name", e.Job)
}

func (e Busy) Error() string { return "busy: " + e.Reason }

func (e InvalidValue) Error() string { return e.Parameter + ": " + e.Reason }

func (e NotSupported) Error() string { return "not possible here: " + e.Reason }

func (e Failed) Error() string {
	if e.Job == "" {
		return e.Reason
	}
	return e.Job + ": " + e.Reason
}

func (e TimedOut) Error() string { return "timed out waiting for " + strings.Join(e.Jobs, ", ") }

func (ShuttingDown) Error() string { return "the supervisor is shutting down and starts nothing more" }

func (e Malformed) Error() string { return "not a Varlink message: " + e.Reason }

// The errors of org.varlink.service, with which the server answers by itself.
type (
	// InterfaceNotFound says that the supervisor has no such interface.
	InterfaceNotFound struct {
		Interface string `json:"interface"`
	}
	// MethodNotFound says that the interface has no such method.
	MethodNotFound struct {
		Method string `json:"method"`
	}
	// MethodNotImplemented says that the method cannot be called with "upgrade".
	MethodNotImplemented struct {
		Method string `json:"method"`
	}
	// InvalidParameter says that a parameter is unknown, missing or of the wrong type.
	InvalidParameter struct {
		Parameter string `json:"parameter"`
	}
)

func (e InterfaceNotFound) Error() string {
	return "the supervisor has no interface " + e.Interface
}

func (e MethodNotFound) Error() string {
	return "the supervisor has no method " + e.Method + "; is it older than the client?"
}

func (e MethodNotImplemented) Error() string {
	return "the method " + e.Method + " cannot be called with \"upgrade\""
}

func (e InvalidParameter) Error() string {
	return "the parameter " + e.Parameter + " is unknown, missing or of the wrong type"
}

// RemoteError is an error that this package has no type for. The supervisor is newer than the
// client.
type RemoteError struct {
	Name       string
	Parameters json.RawMessage
}

func (e RemoteError) Error() string { return e.Name + " " + string(e.Parameters) }

// errorDecoders make an error from its parameters, by the name that the error has on the wire.
var errorDecoders = map[string]func(json.RawMessage) error{
	Interface + ".NotFound":      decodeError[NotFound],
	Interface + ".NotPermitted":  decodeError[NotPermitted],
	Interface + ".InvalidState":  decodeError[InvalidState],
	Interface + ".AlreadyExists": decodeError[AlreadyExists],
	Interface + ".Busy":          decodeError[Busy],
	Interface + ".InvalidValue":  decodeError[InvalidValue],
	Interface + ".NotSupported":  decodeError[NotSupported],
	Interface + ".Failed":        decodeError[Failed],
	Interface + ".TimedOut":      decodeError[TimedOut],
	Interface + ".ShuttingDown":  decodeError[ShuttingDown],
	Interface + ".Malformed":     decodeError[Malformed],

	serviceInterface + ".InterfaceNotFound":    decodeError[InterfaceNotFound],
	serviceInterface + ".MethodNotFound":       decodeError[MethodNotFound],
	serviceInterface + ".MethodNotImplemented": decodeError[MethodNotImplemented],
	serviceInterface + ".InvalidParameter":     decodeError[InvalidParameter],
}

// decodeError returns an error of type E. Parameters that are missing or wrong are left empty,
// because the name of the error says enough.
func decodeError[E error](parameters json.RawMessage) error {
	var e E
	_ = json.Unmarshal(parameters, &e)
	return e
}

// errorReply returns the reply for an error. An error that has no type here becomes Failed.
func errorReply(err error) reply {
	of := Interface
	switch {
	case unwrapTo[NotFound](&err), unwrapTo[NotPermitted](&err), unwrapTo[InvalidState](&err),
		unwrapTo[AlreadyExists](&err), unwrapTo[Busy](&err), unwrapTo[InvalidValue](&err),
		unwrapTo[NotSupported](&err), unwrapTo[Failed](&err), unwrapTo[TimedOut](&err),
		unwrapTo[ShuttingDown](&err), unwrapTo[Malformed](&err):
	case unwrapTo[InterfaceNotFound](&err), unwrapTo[MethodNotFound](&err),
		unwrapTo[MethodNotImplemented](&err), unwrapTo[InvalidParameter](&err):
		of = serviceInterface
	default:
		err = Failed{Reason: err.Error()}
	}
	return reply{Error: of + "." + reflect.TypeOf(err).Name(), Parameters: err}
}

// unwrapTo replaces *err by the error of type E that it wraps, and reports whether it wraps one.
func unwrapTo[E error](err *error) bool {
	var e E
	if !errors.As(*err, &e) {
		return false
	}
	*err = e
	return true
}

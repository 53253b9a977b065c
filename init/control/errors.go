package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// NotFound says that there is no such job.
type NotFound struct {
	Job string `json:"job"`
}

// NotPermitted says that who calls may not do that.
type NotPermitted struct {
	Reason string `json:"reason"`
}

// InvalidState says that the job cannot do that now.
type InvalidState struct {
	Job    string `json:"job"`
	State  State  `json:"state"`
	Reason string `json:"reason"`
}

// AlreadyExists says that the name is in use.
type AlreadyExists struct {
	Job string `json:"job"`
}

// Busy says that there is no room for more.
type Busy struct {
	Reason string `json:"reason"`
}

// InvalidValue says that a parameter has a value that cannot be meant.
type InvalidValue struct {
	Parameter string `json:"parameter"`
	Reason    string `json:"reason"`
}

// NotSupported says that this container, or this kernel, cannot do that.
type NotSupported struct {
	Reason string `json:"reason"`
}

// Failed says that it was tried and did not go well.
type Failed struct {
	Job    string `json:"job"` // empty: it is not about one
	Reason string `json:"reason"`
}

// TimedOut says that the time was up before it had happened for these jobs.
type TimedOut struct {
	Jobs []string `json:"jobs"`
}

// ShuttingDown says that all is being stopped, and nothing more is started.
type ShuttingDown struct{}

// Malformed says that what was sent is no message of the protocol.
type Malformed struct {
	Reason string `json:"reason"`
}

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

func (e TimedOut) Error() string {
	return "the time was up before it had happened for " + strings.Join(e.Jobs, ", ")
}

func (ShuttingDown) Error() string {
	return "the supervisor is shutting down and starts nothing more"
}

func (e Malformed) Error() string { return "not a Varlink message: " + e.Reason }

// The errors of org.varlink.service, which the server answers by itself.
type (
	// InterfaceNotFound says that there is no such interface here.
	InterfaceNotFound struct {
		Interface string `json:"interface"`
	}
	// MethodNotFound says that the interface has no such method.
	MethodNotFound struct {
		Method string `json:"method"`
	}
	// MethodNotImplemented says that it has, but not in this way.
	MethodNotImplemented struct {
		Method string `json:"method"`
	}
	// InvalidParameter says that a parameter is unknown or has the wrong type.
	InvalidParameter struct {
		Parameter string `json:"parameter"`
	}
)

func (e InterfaceNotFound) Error() string { return "there is no interface " + e.Interface + " here" }
func (e MethodNotFound) Error() string {
	return "there is no method " + e.Method + " here; is the supervisor older than the client?"
}

func (e MethodNotImplemented) Error() string {
	return "the method " + e.Method + " cannot be called in this way"
}

func (e InvalidParameter) Error() string {
	return "the parameter " + e.Parameter + " is unknown or of the wrong type"
}

// RemoteError is an error that is not known here, from a supervisor newer than the client.
type RemoteError struct {
	Name       string
	Parameters json.RawMessage
}

func (e RemoteError) Error() string { return e.Name + " " + string(e.Parameters) }

// known makes an error of ours from its parameters, by the name that it has on the wire.
var known = map[string]func(json.RawMessage) error{
	Interface + ".NotFound":      decoded[NotFound],
	Interface + ".NotPermitted":  decoded[NotPermitted],
	Interface + ".InvalidState":  decoded[InvalidState],
	Interface + ".AlreadyExists": decoded[AlreadyExists],
	Interface + ".Busy":          decoded[Busy],
	Interface + ".InvalidValue":  decoded[InvalidValue],
	Interface + ".NotSupported":  decoded[NotSupported],
	Interface + ".Failed":        decoded[Failed],
	Interface + ".TimedOut":      decoded[TimedOut],
	Interface + ".ShuttingDown":  decoded[ShuttingDown],
	Interface + ".Malformed":     decoded[Malformed],

	service + ".InterfaceNotFound":    decoded[InterfaceNotFound],
	service + ".MethodNotFound":       decoded[MethodNotFound],
	service + ".MethodNotImplemented": decoded[MethodNotImplemented],
	service + ".InvalidParameter":     decoded[InvalidParameter],
}

func decoded[E error](parameters json.RawMessage) error {
	var e E
	_ = json.Unmarshal(parameters, &e) // what it lacks is left empty: the name says enough
	return e
}

// errorReply finds the name of an error, which is that of its type.
func errorReply(err error) reply {
	of := Interface
	switch {
	case is[NotFound](&err), is[NotPermitted](&err), is[InvalidState](&err), is[AlreadyExists](&err),
		is[Busy](&err), is[InvalidValue](&err), is[NotSupported](&err), is[Failed](&err),
		is[TimedOut](&err), is[ShuttingDown](&err), is[Malformed](&err):
	case is[InterfaceNotFound](&err), is[MethodNotFound](&err), is[MethodNotImplemented](&err), is[InvalidParameter](&err):
		of = service
	default:
		err = Failed{Reason: err.Error()}
	}
	return reply{Error: of + "." + reflect.TypeOf(err).Name(), Parameters: err}
}

// is unwraps err to an error of type E, if there is one in it.
func is[E error](err *error) bool {
	var e E
	if !errors.As(*err, &e) {
		return false
	}
	*err = e
	return true
}

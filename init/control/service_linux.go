package control

import (
	_ "embed"
	"strings"
)

// serviceDescription is the definition of that interface, in Varlink's own language.
//
//go:embed org.varlink.service.varlink
var serviceDescription string

// introspect answers the calls that are not for the loop: those of org.varlink.service, and those of
// methods that do not exist. answer and err are both nil for a call that is for the loop.
func (s *Server) introspect(r *request) (answer any, err error) {
	of, method := splitMethod(r.Method)
	switch {
	case r.Method == serviceInterface+".GetInfo":
		return Info{
			Vendor: "cginit", Product: "cginit", Version: s.config.Version, URL: "https://github.com/cginit/cginit",
			Interfaces: []string{serviceInterface, Interface},
		}, nil
	case r.Method == serviceInterface+".GetInterfaceDescription":
		return describeInterface(r)
	case of != serviceInterface && of != Interface:
		return nil, InterfaceNotFound{of}
	case of == serviceInterface || newParams[method] == nil:
		return nil, MethodNotFound{r.Method}
	case r.Upgrade: // asks for another protocol on the same connection
		return nil, MethodNotImplemented{r.Method}
	}
	return nil, nil
}

// describeInterface answers GetInterfaceDescription.
func describeInterface(r *request) (any, error) {
	var p struct {
		Interface string `json:"interface"`
	}
	if err := r.decodeInto(&p); err != nil {
		return nil, err
	}
	description := map[string]string{serviceInterface: serviceDescription, Interface: Description}[p.Interface]
	if description == "" {
		return nil, InterfaceNotFound{p.Interface}
	}
	return struct {
		Description string `json:"description"`
	}{description}, nil
}

// splitMethod splits io.cginit.List into io.cginit and List.
func splitMethod(s string) (of, name string) {
	i := strings.LastIndexByte(s, '.')
	return s[:max(i, 0)], s[i+1:]
}

// prepare decodes the parameters of a call for the loop. If the call is not for the loop, or cannot
// be decoded, answer or err is not nil. The files become those of the call, or are closed.
func (s *Server) prepare(call *Call, r *request, files []int) (answer any, err error) {
	if answer, err = s.introspect(r); answer != nil || err != nil {
		closeAll(files)
		return answer, err
	}
	_, call.Method = splitMethod(r.Method)
	call.Params, call.Files = newParams[call.Method](), files
	err = r.decodeInto(call.Params)
	if run, ok := call.Params.(*RunParams); ok && err == nil {
		err = run.check(len(files))
	} else {
		call.CloseFiles() // only Run takes descriptors
	}
	return nil, err
}

package control

import (
	_ "embed"
	"strings"
)

// service is the interface that every Varlink service has, and describes itself with.
const service = "org.varlink.service"

//go:embed org.varlink.service.varlink
var serviceDescription string

// Info is who answers, as GetInfo of org.varlink.service says it.
type Info struct {
	Vendor     string   `json:"vendor"`
	Product    string   `json:"product"`
	Version    string   `json:"version"`
	URL        string   `json:"url"`
	Interfaces []string `json:"interfaces"`
}

// describe answers the methods that are not for the loop. ok is false for those that are.
func (s *Server) describe(r *request) (answer any, err error) {
	of, method := splitMethod(r.Method)
	switch {
	case r.Method == service+".GetInfo":
		return Info{"cginit", "cginit", s.config.Version, "https://github.com/cginit/cginit", []string{service, Interface}}, nil
	case r.Method == service+".GetInterfaceDescription":
		return describeInterface(r)
	case of != service && of != Interface:
		return nil, InterfaceNotFound{of}
	case of == service || params[method] == nil:
		return nil, MethodNotFound{r.Method}
	case r.Upgrade: // to another protocol on the same connection
		return nil, MethodNotImplemented{r.Method}
	}
	return nil, nil
}

func describeInterface(r *request) (any, error) {
	var p struct {
		Interface string `json:"interface"`
	}
	if err := r.into(&p); err != nil {
		return nil, err
	}
	description := map[string]string{service: serviceDescription, Interface: Description}[p.Interface]
	if description == "" {
		return nil, InterfaceNotFound{p.Interface}
	}
	return struct {
		Description string `json:"description"`
	}{description}, nil
}

// splitMethod splits io.cginit.List into its interface and its name.
func splitMethod(s string) (of, name string) {
	i := strings.LastIndexByte(s, '.')
	return s[:max(i, 0)], s[i+1:]
}

// prepare decodes a call for the loop, or answers it: then answer or err is not nil.
func (s *Server) prepare(call *Call, r *request, files []int) (answer any, err error) {
	if answer, err = s.describe(r); answer != nil || err != nil {
		closeAll(files)
		return answer, err
	}
	_, call.Method = splitMethod(r.Method)
	call.Params, call.Files = params[call.Method](), files
	err = r.into(call.Params)
	if run, ok := call.Params.(*RunParams); ok && err == nil {
		err = run.check(len(files))
	} else {
		call.CloseFiles() // nobody else has a use for them
	}
	return nil, err
}

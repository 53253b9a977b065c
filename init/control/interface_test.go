package control

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/varlink/go/varlink/idl"
)

// goTypes has a value of the Go type of each type of the interface.
var goTypes = map[string]any{
	"Job": Job{}, "Process": Process{}, "Phases": Phases{}, "Receipt": Receipt{}, "Event": Event{},
	"State": State(""), "HealthState": HealthState(""),
	"OCIProcess": OCIProcess{}, "OCIUser": specs.User{}, "OCIRlimit": specs.POSIXRlimit{},
	"OCICapabilities": specs.LinuxCapabilities{}, "OCIResources": specs.LinuxResources{},
	"OCIMemory": specs.LinuxMemory{}, "OCICPU": specs.LinuxCPU{}, "OCIPids": specs.LinuxPids{},
	"OCIBlockIO": specs.LinuxBlockIO{}, "OCIThrottle": specs.LinuxThrottleDevice{},
	"OCIHugepageLimit": specs.LinuxHugepageLimit{}, "OCIRdma": specs.LinuxRdma{},
}

// goReplies has a reply of each method.
var goReplies = map[string]any{
	MethodList: ListReply{}, MethodStatus: StatusReply{}, MethodStart: StartReply{}, MethodStop: StopReply{},
	MethodRestart: RestartReply{}, MethodKill: KillReply{}, MethodSignal: SignalReply{}, MethodFreeze: FreezeReply{},
	MethodThaw: ThawReply{}, MethodRun: RunReply{}, MethodWait: WaitReply{}, MethodEvents: EventsReply{},
	MethodReload: ReloadReply{}, MethodReloadJobs: ReloadJobsReply{}, MethodShutdown: ShutdownReply{}, MethodHealth: HealthReply{},
}

// TestInterface compares the Go types with the interface file, in both directions.
func TestInterface(t *testing.T) {
	d, err := idl.New(Description)
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != Interface {
		t.Errorf("the interface is called %s", d.Name)
	}
	seen := map[string]bool{}
	for _, a := range d.Aliases {
		seen[a.Name] = true
		v, ok := goTypes[a.Name]
		if !ok {
			t.Errorf("type %s has no Go type", a.Name)
			continue
		}
		for _, problem := range differences(a.Type, reflect.TypeOf(v), strings.HasPrefix(a.Name, "OCI")) {
			t.Errorf("type %s: %s", a.Name, problem)
		}
	}
	for _, m := range d.Methods {
		seen[m.Name] = true
		if newParams[m.Name] == nil {
			t.Errorf("method %s is not known", m.Name)
			continue
		}
		in := reflect.TypeOf(newParams[m.Name]()).Elem()
		if in.Name() != m.Name+"Params" {
			t.Errorf("method %s takes a %s", m.Name, in)
		}
		for _, problem := range differences(m.In, in, false) {
			t.Errorf("method %s takes: %s", m.Name, problem)
		}
		for _, problem := range differences(m.Out, reflect.TypeOf(goReplies[m.Name]), false) {
			t.Errorf("method %s answers: %s", m.Name, problem)
		}
	}
	for _, e := range d.Errors {
		seen[e.Name] = true
		decode := errorDecoders[Interface+"."+e.Name]
		if decode == nil {
			t.Errorf("error %s is not known", e.Name)
			continue
		}
		err := decode([]byte("{}"))
		if r := errorReply(fmt.Errorf("wrapped: %w", err)); r.Error != Interface+"."+e.Name {
			t.Errorf("error %s is sent as %s", e.Name, r.Error)
		}
		for _, problem := range differences(e.Type, reflect.TypeOf(err), false) {
			t.Errorf("error %s: %s", e.Name, problem)
		}
	}
	for _, of := range [][]string{keys(goTypes), keys(newParams), keys(errorDecoders)} {
		for _, name := range of {
			if name = strings.TrimPrefix(name, Interface+"."); !seen[name] && !strings.Contains(name, ".") {
				t.Errorf("the interface has no %s", name)
			}
		}
	}
}

// keys returns the keys of a map.
func keys[V any](m map[string]V) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	return names
}

// differences compares a type of the interface with a Go type. Of a type of OCI the interface may have
// fewer fields, and the others are refused (TestRunRefusesWhatItDoesNotHave).
func differences(v *idl.Type, g reflect.Type, oci bool) (problems []string) {
	switch v.Kind {
	case idl.TypeEnum:
		var words []string
		for _, f := range v.Fields {
			words = append(words, f.Name)
		}
		if have := constants(g.Name()); !slices.Equal(words, have) {
			return []string{fmt.Sprintf("the values are %v, in Go %v", words, have)}
		}
		return nil
	case idl.TypeStruct:
	default:
		return []string{"it is neither a struct nor an enum"}
	}
	fields := fieldsOf(g)
	for _, f := range v.Fields {
		got, ok := fields[f.Name]
		delete(fields, f.Name)
		maybe := f.Type.Kind == idl.TypeMaybe
		switch {
		case !ok:
			problems = append(problems, f.Name+" is missing in Go")
			continue
		case maybe != got.omitted && !oci: // OCI requires some fields that we do not, and the reverse
			problem := fmt.Sprintf("whether %s may be left out is %v, in Go %v", f.Name, maybe, got.omitted)
			problems = append(problems, problem)
		}
		of := f.Type
		if maybe {
			of = of.ElementType
		}
		if want, have := varlinkName(of), goName(got.Type); want != have {
			problems = append(problems, fmt.Sprintf("%s is a %s, in Go a %s", f.Name, want, have))
		}
	}
	for name := range fields {
		if !oci {
			problems = append(problems, name+" is missing in the interface")
		}
	}
	return problems
}

// field is a field of a Go type as JSON has it.
type field struct {
	reflect.Type
	omitted bool // may be left out
}

// fieldsOf returns the fields of a Go type by their names in JSON.
func fieldsOf(g reflect.Type) map[string]field {
	fields := map[string]field{}
	for f := range g.Fields() {
		if f.Anonymous {
			for name, inner := range fieldsOf(f.Type) {
				if _, shadowed := fields[name]; !shadowed {
					fields[name] = inner
				}
			}
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = field{f.Type, options == "omitempty"}
	}
	return fields
}

// varlinkName writes a type of the interface as text.
func varlinkName(v *idl.Type) string {
	switch v.Kind {
	case idl.TypeArray:
		return "[]" + varlinkName(v.ElementType)
	case idl.TypeMap:
		return "[string]" + varlinkName(v.ElementType)
	case idl.TypeAlias:
		return v.Alias
	case idl.TypeBool, idl.TypeInt, idl.TypeFloat, idl.TypeString:
		return []string{"bool", "int", "float", "string"}[v.Kind]
	}
	return fmt.Sprintf("kind %d", v.Kind)
}

// goName writes a Go type as varlinkName writes the type of the interface that it stands for.
func goName(g reflect.Type) string {
	if g.Kind() == reflect.Pointer {
		g = g.Elem()
	}
	if g == reflect.TypeFor[time.Time]() {
		return "string"
	}
	for name, v := range goTypes {
		if reflect.TypeOf(v) == g {
			return name
		}
	}
	switch g.Kind() {
	case reflect.Slice:
		return "[]" + goName(g.Elem())
	case reflect.Map:
		return "[string]" + goName(g.Elem())
	case reflect.Bool, reflect.String:
		return g.Kind().String()
	case reflect.Float64:
		return "float"
	case reflect.Int, reflect.Int64, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "int"
	}
	return g.String()
}

// constants returns the values of the constants of a type in job.go, in the order of the source.
func constants(of string) (values []string) {
	file, err := parser.ParseFile(token.NewFileSet(), "job.go", nil, 0)
	if err != nil {
		return nil
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == of {
				value, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				values = append(values, value)
			}
		}
		return true
	})
	return values
}

// TestServiceInterface: all errors of org.varlink.service are known.
func TestServiceInterface(t *testing.T) {
	d, err := idl.New(serviceDescription)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range d.Errors {
		if errorDecoders[serviceInterface+"."+e.Name] == nil {
			t.Errorf("error %s is not known", e.Name)
		}
	}
}

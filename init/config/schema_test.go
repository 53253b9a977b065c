package config

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

//go:generate go test -run TestSchema -update

const schemaFile = "../../docs/cginit.schema.json"

type jsonObject = map[string]any

// schemaOf returns the JSON schema of a shape.
func schemaOf(t *testing.T, s *shape) jsonObject {
	var forms []any
	add := func(form jsonObject) { forms = append(forms, form) }
	if s.schema != "" {
		var form jsonObject
		if err := json.Unmarshal([]byte(s.schema), &form); err != nil {
			t.Fatalf("%s: %v", s.schema, err)
		}
		add(form)
	}
	switch {
	case s.keys != nil:
		add(schemaOfKeys(t, s.keys))
	case s.each != nil:
		add(jsonObject{"type": "object", "additionalProperties": schemaOf(t, s.each)})
	case s.item != nil:
		add(jsonObject{"type": "array", "items": schemaOf(t, s.item)})
	}
	for _, other := range s.also {
		add(schemaOf(t, other))
	}
	if s.nullable && !strings.Contains(s.schema, `"null"`) {
		add(jsonObject{"type": "null"})
	}
	if len(forms) == 1 {
		return forms[0].(jsonObject)
	}
	return jsonObject{"anyOf": forms}
}

// schemaOfKeys returns the JSON schema of a mapping with known keys.
func schemaOfKeys(t *testing.T, keys []*known) jsonObject {
	properties, required := jsonObject{}, []string{}
	for _, k := range keys {
		schema := schemaOf(t, k.shape)
		schema["description"] = k.doc
		properties[k.name] = schema
		if k.required {
			required = append(required, k.name)
		}
	}
	made := jsonObject{
		"type": "object", "properties": properties, "additionalProperties": false,
		"patternProperties": jsonObject{"^x-": jsonObject{}},
	}
	if len(required) > 0 {
		made["required"] = required
	}
	return made
}

// schema returns docs/cginit.schema.json as the tables of keys have it.
func schema(t *testing.T) []byte {
	t.Helper()
	s := schemaOf(t, fileKeys().shape)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "cginit's configuration file"
	s["anyOf"] = []any{jsonObject{"required": []string{"services"}}, jsonObject{"required": []string{"jobs"}}}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

// TestSchema checks that the committed schema is that of the tables of keys.
func TestSchema(t *testing.T) {
	made := schema(t)
	if *update {
		if err := os.MkdirAll(filepath.Dir(schemaFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(schemaFile, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(schemaFile)
	if err != nil || !bytes.Equal(committed, made) {
		t.Errorf("%s is not the schema of the tables of keys (%v): run go generate ./init/config", schemaFile, err)
	}
}

// compile returns the compiled schema.
func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("cginit.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("cginit.schema.json")
}

// asJSON returns YAML in the form that the schema validates; nil if it cannot be parsed.
func asJSON(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return v
}

// goodFiles returns the paths of all configuration files of this repository that must be accepted.
func goodFiles(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"testdata/good/*.yaml", "../../examples/*/cginit.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, files...)
	}
	return all
}

// TestSchemaTakesExamples checks that the schema accepts the files that Load accepts.
func TestSchemaTakesExamples(t *testing.T) {
	compiled := compile(t)
	for _, name := range goodFiles(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		data = bytes.ReplaceAll(data, []byte("!reset "), nil)
		data = bytes.ReplaceAll(data, []byte("mem_limit: null"), nil)
		data = bytes.ReplaceAll(data, []byte("!override "), nil)
		if err := compiled.Validate(asJSON(t, data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaRefuses checks that the schema refuses the wrong files whose mistake is a key or a type.
func TestSchemaRefuses(t *testing.T) {
	compiled := compile(t)
	for _, name := range []string{
		"unknown-key", "unknown-key-top", "unknown-key-nested", "image", "container-keys", "deploy-keys",
		"no-services", "null-service",
		"list", "wrong-types", "values", "resources", "job-keys", "depends-on-form", "log-driver", "hooks", "ready-fd",
	} {
		archive, err := txtar.ParseFile("testdata/wrong/" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(asJSON(t, archive.Files[0].Data)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestEveryKey checks that every key of the tables is in a good file, so that a test reads it.
func TestEveryKey(t *testing.T) {
	used := map[string]bool{}
	for _, name := range goodFiles(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p := &problems{}
		doc, _, err := parseYAML(data)
		if err != nil {
			t.Fatal(err)
		}
		tr := &tree{source: &source{name: name}, problems: p, lookup: func(string) (string, bool) { return "", false }}
		use(used, "", fileKeys().shape, straighten(fileKeys().shape, tr.convert(doc, 0)))
	}
	all := map[string]bool{}
	every(all, "", fileKeys().shape)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !used[key] && !strings.HasPrefix(key, "jobs.*.") {
			t.Errorf("no good file has the key %s", key)
		}
	}
	if len(all) < 150 {
		t.Errorf("the tables have only %d keys", len(all))
	}
}

// every collects the paths of all keys of a shape.
func every(keys map[string]bool, path string, s *shape) {
	for _, k := range s.keys {
		keys[path+k.name] = true
		every(keys, path+k.name+".", k.shape)
	}
	if s.each != nil {
		every(keys, path+"*.", s.each)
	}
	if s.item != nil {
		every(keys, path, s.item)
	}
}

// use collects the paths of the keys that a node has.
func use(used map[string]bool, path string, s *shape, n *node) {
	for _, item := range n.items {
		if s.item != nil {
			use(used, path, s.item, item)
		}
	}
	for _, p := range n.pairs {
		under := s.under(p.key)
		switch {
		case under == nil:
		case s.each != nil:
			use(used, path+"*.", under, p.value)
		default:
			used[path+p.key] = true
			use(used, path+p.key+".", under, p.value)
		}
	}
}

// Package kubernetes checks the manifests of examples/kubernetes with the types of the API itself. It
// is a separate module, because these types depend on half of Kubernetes.
package kubernetes

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	node "k8s.io/api/node/v1"
	"sigs.k8s.io/yaml"
)

const examples = "../../examples/kubernetes"

// types are the types that the examples use.
var types = map[string]func() any{
	"v1/Pod":                      func() any { return new(core.Pod) },
	"v1/ConfigMap":                func() any { return new(core.ConfigMap) },
	"batch/v1/Job":                func() any { return new(batch.Job) },
	"batch/v1/CronJob":            func() any { return new(batch.CronJob) },
	"node.k8s.io/v1/RuntimeClass": func() any { return new(node.RuntimeClass) },
}

// decode decodes a manifest as the API server does: unknown and duplicate keys are errors.
func decode(doc []byte) (kind string, object any, err error) {
	var head struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal(doc, &head); err != nil {
		return "", nil, err
	}
	kind = head.APIVersion + "/" + head.Kind
	if types[kind] == nil {
		return kind, nil, os.ErrNotExist
	}
	object = types[kind]()
	return kind, object, yaml.UnmarshalStrict(doc, object)
}

func TestExamples(t *testing.T) {
	files, err := filepath.Glob(examples + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range bytes.Split(text, []byte("\n---\n")) {
			kind, _, err := decode(doc)
			if err != nil {
				t.Errorf("%s, %s: %v", file, kind, err)
			}
			seen[kind] = true
		}
	}
	for kind := range types {
		if !seen[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
}

// TestGrace checks that Kubernetes does not kill the container before cginit has killed the jobs.
func TestGrace(t *testing.T) {
	text, err := os.ReadFile(examples + "/services.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range bytes.Split(text, []byte("\n---\n")) {
		_, object, err := decode(doc)
		if err != nil {
			t.Fatal(err)
		}
		if pod, is := object.(*core.Pod); is && *pod.Spec.TerminationGracePeriodSeconds != 30 {
			t.Error("the stop_grace_period of 29s needs a terminationGracePeriodSeconds of 30")
		}
	}
}

func TestStrict(t *testing.T) {
	for name, doc := range map[string]string{
		"an unknown key": "apiVersion: v1\nkind: Pod\nspec: {container: []}",
		"a double key":   "apiVersion: v1\nkind: Pod\nkind: Pod",
		"a wrong type":   "apiVersion: v1\nkind: Pod\nspec: {containers: {}}",
		"another kind":   "apiVersion: v1\nkind: Pot",
	} {
		if _, _, err := decode([]byte(doc)); err == nil {
			t.Errorf("decode accepts %s", name)
		}
	}
}

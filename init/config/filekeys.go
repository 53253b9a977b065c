package config

import (
	"math"
	"slices"
	"time"
)

// fileKeys are the keys at the top level. All tables of keys are reached from here: the decoder, the
// merging of files and the JSON schema are made from them, and every other key is unknown.
func fileKeys() value[document] {
	return object(document{}, refusedInFile,
		keyTo("services", "the services by name: commands that are kept running", mapOf(workload(true)), addDrafts),
		keyTo("jobs", "the jobs by name: commands that run to their end, at the start or by their triggers",
			mapOf(workload(false)), addDrafts),
		key("stop_grace_period", "how long the whole shutdown may take (default 9s, or what the grace periods of the services need)", duration(0),
			func(doc *document) *time.Duration { return &doc.GracePeriod }),
		key("socket", "the path of the control socket, or none", socket(),
			func(doc *document) *string { return &doc.Socket }),
		key("report", "the file to which the receipts of teardowns are appended", path(),
			func(doc *document) *string { return &doc.Report }),
		key("log", "the format of cginit's own log lines", word("text", "json"),
			func(doc *document) *string { return &doc.LogFormat }),
		key("seal", "auto: seal each service and job that has no-new-privileges and none that it could signal beside it", word("auto", "none"),
			func(doc *document) *string { return &doc.Seal }),
		inside("access", "who may use the control socket, in addition to root and cginit's own user", nil,
			key("uids", "user ids", ids(), func(doc *document) *[]uint32 { return &doc.AllowUIDs }),
			key("gids", "group ids", ids(), func(doc *document) *[]uint32 { return &doc.AllowGIDs })),
		keyTo("name", "Compose's project name; ignored", text(), func(*problems, *node, *document, string) {}),
		keyTo("version", "the version of the Compose format; ignored", located(),
			func(*problems, *node, *document, *node) {}),
	)
}

// addDrafts adds services or jobs to the document, with their names.
func addDrafts(_ *problems, _ *node, doc *document, entries []entry[draft]) {
	for _, e := range entries {
		e.value.Name, e.value.node = e.key, e.node
		doc.drafts = append(doc.drafts, e.value)
	}
}

// workload reads one service or one job.
func workload(service bool) value[draft] {
	fields := slices.Concat(programKeys(), lifecycleKeys(), stopKeys(), healthKeys(), identityKeys(), limitKeys(),
		outputKeys())
	refused := refusedInService
	if service {
		fields = append(fields, scaleKey())
	} else {
		fields, refused = append(fields, triggersKey()), refusedInJob
	}
	return object(newDraft(service), refused, fields...)
}

// socket reads an absolute path, or the word none.
func socket() value[string] {
	p := path()
	return value[string]{p.shape, func(at *problems, n *node) (string, bool) {
		if n.kind == scalarKind && n.text == "none" {
			return n.text, true
		}
		return p.read(at, n)
	}}
}

// ids reads a list of user or group ids.
func ids() value[[]uint32] {
	return listOf(value[uint32]{&shape{schema: schemaNumber}, func(p *problems, n *node) (uint32, bool) {
		v, ok := integer(0, math.MaxUint32-1).read(p, n)
		return uint32(v), ok
	}})
}

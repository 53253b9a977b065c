package config

import (
	"math"
	"slices"
	"time"
)

// The tables of keys. The decoder, the merging of files and the JSON schema are made from
// them; a key that is not in them is unknown.

// fileKeys are those of the top level.
func fileKeys() value[document] {
	return object(document{}, refusedInFile,
		keyTo("services", "what is to keep running, by name", mapOf(workload(true)), addDrafts),
		keyTo("jobs", "what runs to its end, by name: at the start, or when its triggers say", mapOf(workload(false)), addDrafts),
		key("stop_grace_period", "how long the whole shutdown may take, such as 9s (the default)", duration(0),
			func(doc *document) *time.Duration { return &doc.GracePeriod }),
		key("socket", "the path of the control socket; none: there is none", socket(), func(doc *document) *string { return &doc.Socket }),
		key("report", "the file to which receipts are appended", path(), func(doc *document) *string { return &doc.Report }),
		key("log", "how cginit's own lines are written", word("text", "json"), func(doc *document) *string { return &doc.LogFormat }),
		inside("access", "who may use the control socket, besides root and cginit's own user", nil,
			key("uids", "user ids", ids(), func(doc *document) *[]uint32 { return &doc.AllowUIDs }),
			key("gids", "group ids", ids(), func(doc *document) *[]uint32 { return &doc.AllowGIDs })),
		keyTo("name", "Compose's project name; ignored", text(), func(*problems, *node, *document, string) {}),
		keyTo("version", "Compose's version of long ago; ignored", located(), func(*problems, *node, *document, *node) {}),
	)
}

func addDrafts(_ *problems, _ *node, doc *document, entries []entry[draft]) {
	for _, e := range entries {
		e.value.Name, e.value.node = e.key, e.node
		doc.drafts = append(doc.drafts, e.value)
	}
}

// workload is a service or a job.
func workload(service bool) value[draft] {
	fields := slices.Concat(programKeys(), lifecycleKeys(), stopKeys(), healthKeys(), identityKeys(), limitKeys(), outputKeys())
	refused := refusedInService
	if service {
		fields = append(fields, scaleKey())
	} else {
		fields, refused = append(fields, triggersKey()), refusedInJob
	}
	return object(newDraft(service), refused, fields...)
}

func socket() value[string] {
	p := path()
	return value[string]{p.shape, func(at *problems, n *node) (string, bool) {
		if n.kind == scalarKind && n.text == "none" {
			return n.text, true
		}
		return p.read(at, n)
	}}
}

func ids() value[[]uint32] {
	return listOf(value[uint32]{&shape{schema: schemaNumber}, func(p *problems, n *node) (uint32, bool) {
		v, ok := integer(0, math.MaxUint32-1).read(p, n)
		return uint32(v), ok
	}})
}

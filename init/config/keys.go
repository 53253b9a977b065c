package config

import (
	"slices"
	"syscall"
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

// programKeys say what is executed.
func programKeys() []*field {
	return []*field{
		key("command", "what is executed: a list of words, or a text that is split into words (no shell runs it)", command(),
			func(d *draft) *[]string { return &d.command }),
		key("entrypoint", "what the command is an argument of, in the same two forms", command(),
			func(d *draft) *[]string { return &d.entrypoint }),
		key("environment", "variables, besides those of cginit; without a value they are inherited", variables(),
			func(d *draft) *[]variable { return &d.vars }),
		key("env_file", "files of variables, before environment", envFiles(), func(d *draft) *[]envFile { return &d.envFiles }),
		key("working_dir", "the working directory, an absolute path", path(), func(d *draft) *string { return &d.Dir }),
		key("labels", "names and values that are shown with it", labels(), func(d *draft) *map[string]string { return &d.Labels }),
		key("profiles", "it is there only if one of these is selected", listOf(text()), func(d *draft) *[]string { return &d.profiles }),
	}
}

// stopKeys say how a run ends.
func stopKeys() []*field {
	return []*field{
		key("stop_signal", "the signal that asks it to stop, such as SIGQUIT", stopSignal(),
			func(d *draft) *syscall.Signal { return &d.StopSignal }),
		key("stop_grace_period", "how long after that it may live; then it is killed (10s)", duration(0),
			func(d *draft) *time.Duration { return &d.GracePeriod }),
		key("kill_mode", "whom a stop asks: the main process, then the rest; all at once; the main process alone",
			word(Mixed, ControlGroup, Process), func(d *draft) *KillMode { return &d.KillMode }),
		key("leftovers", "its other processes when the main process ends by itself: ask and kill, wait for them, kill",
			word(LeftoversStop, LeftoversWait, LeftoversKill), func(d *draft) *Leftovers { return &d.Leftovers }),
		key("timeout", "the longest that a run may take", duration(time.Millisecond), func(d *draft) *time.Duration { return &d.Timeout }),
		key("essential", "when it ends, everything ends, with its status", boolean(), func(d *draft) *bool { return &d.Essential }),
		key("pre_stop", "steps before it is asked to stop", listOf(hooks()), func(d *draft) *[]hook { return &d.preStop }),
	}
}

// outputKeys say where its output goes.
func outputKeys() []*field {
	logging := inside("logging", "where what it writes goes", refusedInLogging,
		keyTo("driver", "inherit (cginit's own output, the default), prefix (its name before each line), json (an object a line), none",
			logDriver(), func(_ *problems, _ *node, d *draft, l LogDriver) { d.Log = l }))
	logging.apart = "driver"
	return []*field{
		logging,
		key("tty", "a terminal of its own", boolean(), func(d *draft) *bool { return &d.TTY }),
		key("stdin_open", "it reads cginit's standard input", boolean(), func(d *draft) *bool { return &d.StdinOpen }),
	}
}

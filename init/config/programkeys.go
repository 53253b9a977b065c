package config

// programKeys are the keys about the program and its environment.
func programKeys() []*field {
	return []*field{
		key("command", "the command: a list of words, or a text that is split into words (no shell runs it)",
			command(),
			func(d *draft) *[]string { return &d.command }),
		key("entrypoint", "words that are put before those of command, in the same two forms", command(),
			func(d *draft) *[]string { return &d.entrypoint }),
		key("environment", "variables in addition to those of cginit; one without a value is inherited", variables(),
			func(d *draft) *[]variable { return &d.vars }),
		key("env_file", "files of variables; those in environment win over them", envFiles(),
			func(d *draft) *[]envFile { return &d.envFiles }),
		key("working_dir", "the working directory, an absolute path", path(),
			func(d *draft) *string { return &d.Dir }),
		key("labels", "names and values that the control socket reports with it", labels(),
			func(d *draft) *map[string]string { return &d.Labels }),
		key("profiles", "it is part of the configuration only if one of these profiles is selected", listOf(text()),
			func(d *draft) *[]string { return &d.profiles }),
	}
}

// labels reads the same forms as variables. A label without a value is empty.
func labels() value[map[string]string] {
	vars := variables()
	return value[map[string]string]{vars.shape, func(p *problems, n *node) (map[string]string, bool) {
		read, ok := vars.read(p, n)
		labels := make(map[string]string, len(read))
		for _, v := range read {
			labels[v.name] = ""
			if v.value != nil {
				labels[v.name] = *v.value
			}
		}
		return labels, ok
	}}
}

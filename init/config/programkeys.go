package config

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

// labels are variables of another use; one without a value is empty.
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

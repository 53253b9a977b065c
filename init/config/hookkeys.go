package config

import "time"

// hook is a step (pre_start, post_start, pre_stop) as it is written.
type hook struct {
	command []string
	vars    []variable
	dir     string
	user    *node
	timeout time.Duration
	seal    bool
	node    *node
}

// hooks reads one step. The resolver takes what it does not say from its service or job.
func hooks() value[hook] {
	step := object(hook{}, refusedInHook,
		must(keyTo("command", "what is executed, in the same two forms as in the service", command(),
			func(p *problems, n *node, h *hook, words []string) {
				if h.command = words; len(words) == 0 || words[0] == "" {
					p.wrong(n, "the command of this step is empty")
				}
			})),
		key("environment", "variables in addition to those of the service", variables(),
			func(h *hook) *[]variable { return &h.vars }),
		key("working_dir", "the working directory, an absolute path", path(), func(h *hook) *string { return &h.dir }),
		key("user", "the user that runs it: NAME|UID[:GROUP|GID]", located(), func(h *hook) **node { return &h.user }),
		key("seal", "true: it is sealed as a service can be", boolean(), func(h *hook) *bool { return &h.seal }),
		key("timeout", "the longest that the step may take", duration(time.Millisecond),
			func(h *hook) *time.Duration { return &h.timeout }),
	)
	return value[hook]{step.shape, func(p *problems, n *node) (hook, bool) {
		h, ok := step.read(p, n)
		h.node = n
		return h, ok
	}}
}

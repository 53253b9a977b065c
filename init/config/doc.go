// Package config turns what a person wrote into what the supervisor is to do: a [Spec] for
// each job. It starts nothing.
//
// [Parse] reads the command line, [Load] configuration files, whose words are Compose's. Every
// key stands once, in the tables that begin in filekeys.go: with how it is read, how two files'
// values of it are merged, and what docs/cginit.schema.json says of it.
//
// A file goes this way: bytes, YAML (yaml.go), a tree of values that know their place, with
// variables put in (tree.go), short forms made long and files merged (merge.go), drafts by the
// tables (value.go), specs (resolve.go, graph.go). What is wrong is collected on the way and
// said at once.
//
// Where Compose leaves a choice, or means a container and not a process:
//
//   - A relative env_file is relative to the folder of the first configuration file; other
//     paths are absolute.
//   - A command that is a text is split into words by the shell's rules, but what only a shell
//     could do (pipes, redirections) is refused and not passed on as letters.
//   - A job without triggers runs once, at the start, and services may depend on it.
//   - A memory limit is one of memory and swap together, unless memswap_limit says otherwise.
//   - The logging drivers of engines are refused, json-file too: they say where a container's
//     output is kept, and that is where the output of jobs goes unless told otherwise.
//   - What a step (pre_start and the like) does not say is as in its service, but it has
//     nothing of the service's entrypoint.
package config

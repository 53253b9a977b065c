// Package config turns the command line and configuration files into a [Spec] for each job. It starts
// nothing.
//
// [Parse] reads the command line. [Load] reads configuration files, whose keys are those of Compose.
// Each key has one entry in the tables of keys, which begin in filekeys.go. The entry says how the key
// is read, how the values of two files are merged, and what docs/cginit.schema.json says about it.
//
// Load passes a file through these stages:
//
//   - yaml.go parses the bytes.
//   - tree.go makes a tree of nodes that know their place in the file, and interpolates variables.
//   - merge.go turns short forms into long ones and merges the files.
//   - value.go reads the tree into drafts, by the tables of keys.
//   - resolve.go and graph.go make a Spec of each draft.
//
// All problems are collected on the way and returned in one [Error].
//
// Where Compose leaves a choice, or means a container and not a process, these are the decisions:
//
//   - A relative env_file is relative to the folder of the first configuration file. All other paths
//     must be absolute.
//   - A command that is a text is split into words by the rules of a shell. Operators that only a
//     shell acts on (pipes, redirections) are refused, and not passed on as letters.
//   - A job without triggers runs once, at the start, and services may depend on it.
//   - A memory limit is for memory and swap together, unless memswap_limit says otherwise.
//   - The logging drivers of engines are refused, json-file too. They say where the output of a
//     container is kept; jobs write there anyway, unless told otherwise.
//   - A step (pre_start and the like) inherits what it does not set from its service, except the
//     entrypoint.
package config

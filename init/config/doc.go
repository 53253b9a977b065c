// Package config turns what a person wrote into what the supervisor is to do: a [Spec] for
// each job. It starts nothing.
package config

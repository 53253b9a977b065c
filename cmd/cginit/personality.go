package main

type personality struct{}

var personalities map[string]personality

func (p personality) run(name string, args, env []string) int { return 0 }

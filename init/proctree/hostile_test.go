package proctree

func hostile([]string) {}

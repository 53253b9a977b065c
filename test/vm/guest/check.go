package main

import "bytes"

var reports = []scenario{
	{"check", false, check},
	{"root-check", true, check},
}

// check records the output of --check in the box.
func check(b *box) error {
	b.prepare("--check")
	var said bytes.Buffer
	b.cmd.Stdout = &said
	if err := b.launch(); err != nil {
		return err
	}
	err := b.wait()
	b.Facts["check"] = said.String()
	return err
}

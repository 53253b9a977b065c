package main

import (
	"os"
	"os/exec"
)

// size is the size of the programs that are process 1.
func size(l *lab) ([]*figure, error) {
	var rows []row
	for _, s := range l.inits() {
		if s.prefix == nil {
			continue
		}
		path, err := exec.LookPath(s.prefix[0])
		if err != nil {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{s.name, []cell{cellOf([]float64{float64(info.Size()) / 1e6})}})
	}
	f := &figure{
		Title: "Size of the program",
		Note:  "The file alone. The programs written in C also need the C library, unless they are static.",
	}
	f.add([]column{{Name: "size", Unit: "MB", Digits: 2, Line: "size of the program", Goals: []goal{{Plus: 5.0}}}}, rows)
	return []*figure{f}, nil
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary the program itself, under each name that it goes by.
func TestMain(m *testing.M) {
	programs := map[string]func(){"cginit": main}
	for name := range personalities {
		programs[name] = main
	}
	// As the supervisor's own helpers this binary goes by a name that is in no map.
	if strings.HasPrefix(filepath.Base(os.Args[0]), "cginit-") {
		main()
	}
	testscript.Main(m, programs)
}

// TestScripts is the command line, one behaviour a file.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Getuid() == 0, nil
		},
	})
}

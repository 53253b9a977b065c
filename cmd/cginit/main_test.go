package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary act as cginit, under each name that cginit has.
func TestMain(m *testing.M) {
	programs := map[string]func(){"cginit": main}
	for name := range personalities {
		programs[name] = main
	}
	// The helpers of the supervisor run this binary under names that are not in the map.
	if strings.HasPrefix(filepath.Base(os.Args[0]), "cginit-") {
		main()
	}
	testscript.Main(m, programs)
}

// TestScripts runs the scripts about the command line. Each file has one behaviour.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Getuid() == 0, nil
		},
	})
}

package main

import (
	"os"
	"testing"

	"github.com/cginit/cginit/init/control/controltest"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary the program itself.
func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"cginitctl": main}) }

// TestScripts is the command line, one behaviour a file, each before a supervisor of its own
// (CGINIT_TEST_SOCKET: before one that runs already, with jobs web, db and batch).
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("CGINIT_SOCKET", socketFor(e.T().(testing.TB)))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Getuid() == 0, nil
		},
	})
}

func socketFor(t testing.TB) string {
	if s := os.Getenv("CGINIT_TEST_SOCKET"); s != "" {
		return s
	}
	return controltest.Start(t)
}

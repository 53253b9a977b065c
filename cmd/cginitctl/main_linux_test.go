package main

import (
	"os"
	"testing"

	"github.com/cginit/cginit/init/control/controltest"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary act as cginitctl.
func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"cginitctl": main}) }

// TestScripts runs the scripts about the command line, each with a supervisor of its own. If
// CGINIT_TEST_SOCKET is set, they use the supervisor there, which must have the jobs web, db and batch.
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

// socketFor returns the control socket of a supervisor for one test.
func socketFor(t testing.TB) string {
	if s := os.Getenv("CGINIT_TEST_SOCKET"); s != "" {
		return s
	}
	return controltest.Start(t)
}

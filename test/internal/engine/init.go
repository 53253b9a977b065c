package engine

import "testing"

// replaced exits with status 3 and leaves a daemon behind, if process 1 is cginit.
const replaced = `cmp /proc/1/exe /usr/bin/cginit && (setsid sleep 1001 &) && exit 3`

// IsInit checks that the engine's own --init runs cginit as process 1, with the options opts.
func (e *Engine) IsInit(t testing.TB, opts ...string) {
	t.Helper()
	b := e.Box(t)
	b.Begin(append([]string{"--init", "--entrypoint", "sh"}, opts...), "-c", replaced)
	if status := b.Wait(); status != 3 {
		t.Errorf("the container ended with %d, not with the command's 3; it said:\n%s", status, b.Logs())
	}
}

package real

import (
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestScript runs a usual entry point script. It starts helpers in the background and then either ends
// or becomes the server.
func TestScript(t *testing.T) {
	const helpers = `#!/bin/sh
sleep 1000 &
(sleep 1000 &)
setsid sleep 1000 &
nohup sleep 1000 >/dev/null 2>&1 &
echo up
`
	inModes(t, func(t *testing.T, mode pod.Mode) {
		t.Run("ends", func(t *testing.T) {
			script := write(t, pod.OpenDir(t), "run", helpers+"read line; exit 4\n")
			p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--", script}})
			p.Line("up")
			pod.Until(t, "the helpers run", func() bool { return len(p.Tree("sleep")) == 4 })
			p.EndInput()
			if r := ends(t, p, "exited", 4); r.Asked != 4 || r.Left != 4 {
				t.Errorf("%d asked, %d left", r.Asked, r.Left)
			}
		})
		t.Run("execs", func(t *testing.T) {
			script := write(t, pod.OpenDir(t), "run", helpers+"exec sleep 1000\n")
			p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--", script}})
			p.Line("up")
			pod.Until(t, "the helpers run", func() bool { return len(p.Tree("sleep")) == 5 })
			if r := stop(t, p, 128+15); r.Asked != 5 || r.Left != 5 {
				t.Errorf("%d asked, %d left", r.Asked, r.Left)
			}
		})
	})
}

// TestChromium runs a program that is known for filling containers with zombies. It has a dozen
// processes, many of which are orphans from the start.
func TestChromium(t *testing.T) {
	chromium := harness.Command(t, "chromium")
	inModes(t, func(t *testing.T, mode pod.Mode) {
		dir := pod.OpenDir(t)
		page := write(t, dir, "page.html", "<title>a page</title><script>document.title = 'scripted'</script>")
		args := []string{
			"--", chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
			"--user-data-dir=" + dir + "/profile", "--disable-crash-reporter",
		}
		t.Run("ends", func(t *testing.T) {
			p := pod.Start(t, pod.Spec{Mode: mode, Env: []string{"HOME=" + dir}, Args: append(args, "--dump-dom", "file://"+page)})
			p.Line("<title>scripted</title>")
			ends(t, p, "exited", 0)
		})
		t.Run("stopped", func(t *testing.T) {
			p := pod.Start(t, pod.Spec{Mode: mode, Env: []string{"HOME=" + dir}, Args: append(args, "--remote-debugging-port=0", "file://"+page)})
			pod.Until(t, "it listens", func() bool { return strings.Contains(p.Stderr(), "DevTools listening") })
			pod.Until(t, "its renderer runs", func() bool { return len(p.Tree("chromium")) > 4 })
			pod.Until(t, "its orphans are reaped", func() bool { return p.Zombies() == 0 })
			stop(t, p, 0)
		})
	})
}

package check

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// bootSystemd makes systemd process 1 of a container that looks like this machine. systemd writes to a
// file system in memory. It does none of the work of a boot: no disks, no devices, no settings of the
// kernel.
const bootSystemd = `set -e
mount --make-rprivate /
mount -t tmpfs none /mnt
cd /mnt
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work none root
cd root
rm -rf etc/systemd/system etc/fstab .dockerenv lib/systemd/system/*.wants lib/systemd/system-generators
mount -t proc none proc
mount -o bind,ro proc/sys proc/sys
mount -t sysfs -o ro none sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs none dev
for device in null zero full random urandom; do touch dev/$device && mount -o bind /dev/$device dev/$device; done
mount -t tmpfs none run
mount -o bind "$1" srv
mkdir etc/systemd/system
mv srv/*.service etc/systemd/system
pivot_root . mnt
umount -l mnt
exec env -i container=test /lib/systemd/systemd --log-target=console --unit=user.service
`

// userService is a unit that runs user.sh as a user who has logged in.
const userService = `
[Unit]
Wants=dbus.socket systemd-logind.service user@65534.service
After=dbus.socket systemd-logind.service user@65534.service
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
User=65534
Environment=XDG_RUNTIME_DIR=/run/user/65534
WorkingDirectory=/srv
StandardOutput=file:/srv/said
StandardError=file:/srv/said
ExecStart=sh -ex user.sh
`

// user is a script that does what cginit --check advises, and then checks and runs cginit again.
const user = `
./cginit --check --json >before
add=$(jq -r '.ways[0].add' before)
if ./cginit --require cgroup -- true 2>refused; then exit 1; fi
$add ./cginit --check --json --require cgroup >after
$add ./cginit --require cgroup --leftovers kill -- sh -c 'setsid sleep 1000 & exit 3' || [ $? = 3 ]
`

// TestSystemd checks that an ordinary user under systemd who follows the advice of --check gets the
// level that it has promised.
func TestSystemd(t *testing.T) {
	for _, needed := range []string{"/lib/systemd/systemd", "systemd-run", "dbus-daemon", "jq", "unshare"} {
		harness.Command(t, needed)
	}
	dir := pod.OpenDir(t)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	write("user.service", userService)
	write("user.sh", user)
	if out, err := exec.Command("cp", harness.Bin(t, "cginit"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--cgroup", "--mount", "--pid", "--ipc", "--uts", "--net", "--fork", "--kill-child",
		"--", "sh", "-c", bootSystemd, "sh", dir)
	pod.Enclose(t, cmd)
	if console, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\nconsole: %s", err, console)
	}

	said := read("said")
	const add = "systemd-run --user --scope --property Delegate=yes"
	for _, c := range []struct{ file, level, add string }{{"before", "tree", add}, {"after", "cgroup", ""}} {
		var found struct {
			Ways   []struct{ Add string }
			Levels []struct{ Level string }
		}
		if err := json.Unmarshal([]byte(read(c.file)), &found); err != nil {
			t.Fatalf("%s: %v\n%s", c.file, err, said)
		}
		for _, l := range found.Levels {
			if l.Level != c.level && l.Level != "sealed" { // that of jobs with seal: true
				t.Errorf("%s: the level is %s, not %s", c.file, l.Level, c.level)
			}
		}
		if add := append(found.Ways, struct{ Add string }{})[0].Add; add != c.add {
			t.Errorf("%s: the advice is %q, not %q", c.file, add, c.add)
		}
	}
	if refused := read("refused"); !strings.Contains(refused, "systemd: "+add) {
		t.Errorf("the message does not say what to add: %s", refused)
	}
	if !strings.Contains(said, "1 killed; nothing is left") {
		t.Errorf("the receipt does not say that 1 process was killed:\n%s", said)
	}
}

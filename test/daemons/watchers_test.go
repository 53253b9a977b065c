package daemons

// watchers are monitors.
var watchers = []daemon{
	{
		name: "Prometheus", program: "prometheus", pkg: "prometheus",
		setup:   `printf 'scrape_configs: []\n' >/srv/p.yml`,
		run:     `exec prometheus --config.file=/srv/p.yml --storage.tsdb.path=/srv/p --web.listen-address=127.0.0.1:9090 --web.enable-lifecycle 2>/srv/log`,
		serves:  `curl -fsS http://127.0.0.1:9090/-/ready && curl -fsS 'http://127.0.0.1:9090/api/v1/query?query=vector(1)' | grep success`,
		reload:  "HUP",
		reloads: `grep -c 'Completed loading of configuration' /srv/log`,
		control: `curl -fsS -X POST http://127.0.0.1:9090/-/reload`,
	},
	{
		name: "Prometheus node exporter", program: "prometheus-node-exporter", pkg: "prometheus-node-exporter",
		run:    `exec prometheus-node-exporter --web.listen-address=127.0.0.1:9100`,
		serves: `curl -fsS http://127.0.0.1:9100/metrics | grep node_load1`,
		exit:   143,
	},
	{
		name: "Avahi", program: "avahi-daemon", pkg: "avahi-daemon, netcat-openbsd",
		setup:   `mkdir -p /run/avahi-daemon; chown avahi /run/avahi-daemon; printf '[server]\nallow-interfaces=lo\nenable-dbus=no\n' >/srv/a.conf`,
		run:     `exec avahi-daemon --no-rlimits -f /srv/a.conf`,
		serves:  `test -S /run/avahi-daemon/socket && printf 'HELP\n' | nc -NU /run/avahi-daemon/socket | grep -i command`,
		reload:  "HUP",
		control: `avahi-daemon -f /srv/a.conf -r`, refused: "avahi-daemon -r",
	},
}

// programs are no daemons: their clients run them.
var programs = []daemon{
	{
		name: "Chromium", program: "chromium", pkg: "chromium",
		setup:  `useradd -m bob; echo '<title>a</title><script>document.title = "scripted"</script>' >/srv/a.html`,
		run:    `exec sleep infinity`,
		serves: `cd /home/bob; export HOME=/home/bob; setpriv --reuid bob --regid bob --clear-groups timeout 50 chromium --headless=new --disable-gpu --user-data-dir=/home/bob/p --dump-dom file:///srv/a.html 2>&1 | grep scripted`,
		exit:   143,
	},
	{
		name: "sudo, ping, bwrap, unshare", program: "bwrap", pkg: "sudo, bubblewrap, iputils-ping",
		setup:  `useradd -m bob; echo 'bob ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/bob`,
		run:    `exec sleep infinity`,
		serves: `sudo -u bob id -un | grep bob && ping -c 1 127.0.0.1 && setpriv --reuid bob --regid bob --clear-groups ping -c 1 127.0.0.1 && setpriv --reuid bob --regid bob --clear-groups unshare -Urpf true`,
		exit:   143,
		lost: []use{{
			does: `setpriv --reuid bob --regid bob --clear-groups bwrap --ro-bind / / true`,
			in:   "ermi",
			says: "`bwrap`, which mounts in a user namespace of its own",
		}, {
			does: `setpriv --reuid bob --regid bob --clear-groups sudo id -un`,
			in:   "no new privileges",
			says: "`sudo` for a user other than root (set-user-ID)",
		}, {
			does: `setpriv --reuid bob --regid bob --clear-groups unshare -Urm mount -t tmpfs t /srv`,
			in:   "ermi",
			says: "`mount` in a user namespace of its own (`unshare -Urm`)",
		}, {
			does: `d=$(mktemp -d /made.XXXX); trap 'rm -r $d' EXIT; echo >$d/f`,
			in:   "ermi",
			says: "writes to a directory that is made in `/` meanwhile",
		}},
	},
}

package daemons

// transfers are servers for files.
var transfers = []daemon{
	{
		name: "Transmission", program: "transmission-daemon", pkg: "transmission-daemon, transmission-cli",
		setup:  `mkdir /srv/t; chown debian-transmission /srv/t`,
		run:    `exec setpriv --reuid debian-transmission --regid debian-transmission --clear-groups transmission-daemon -f -g /srv/t --no-portmap --no-dht --log-info -e /srv/t/log -w /srv/t`,
		keys:   "ready: notify\nstop_grace_period: 20s",
		serves: `transmission-remote 127.0.0.1:9091 -l | grep Sum`,
		reload: "HUP",
	},
	{
		name: "rsync daemon", program: "/usr/bin/rsync", pkg: "rsync",
		setup:  `mkdir /srv/files; echo served >/srv/files/f; chown -R nobody /srv/files; printf 'address = 127.0.0.1\nuse chroot = yes\nuid = nobody\ngid = nogroup\n[files]\npath = /srv/files\nread only = no\n' >/srv/r.conf`,
		run:    `exec rsync --daemon --no-detach --config=/srv/r.conf`,
		serves: `cd /srv; rsync rsync://127.0.0.1/files/f g && grep served g && rsync -a --delay-updates g rsync://127.0.0.1/files/h`,
	},
	{
		name: "git daemon", program: "/usr/lib/git-core/git-daemon", pkg: "git",
		setup:  `mkdir /srv/git; cd /srv/git; git init -q --bare r.git; touch r.git/git-daemon-export-ok; git -C r.git config daemon.receivepack true; chown -R nobody r.git`,
		run:    `exec /usr/lib/git-core/git-daemon --base-path=/srv/git --listen=127.0.0.1 --user=nobody --enable=receive-pack --reuseaddr`,
		serves: `d=$(mktemp -d); cd $d; git clone -q git://127.0.0.1/r.git c; cd c; git -c user.name=a -c user.email=a@pod commit -q --allow-empty -m m; git push -q origin HEAD:b$(date +%N)`,
		exit:   143,
	},
	{
		name: "Docker registry", program: "docker-registry", pkg: "docker-registry",
		setup:  `printf 'version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /srv/reg\nhttp:\n  addr: 127.0.0.1:5000\n' >/srv/reg.yml`,
		run:    `exec docker-registry serve /srv/reg.yml`,
		serves: `u=$(curl -fsS -X POST -D - http://127.0.0.1:5000/v2/a/blobs/uploads/ | tr -d '\r' | sed -n 's/^Location: //p'); curl -fsS -X PUT -H "Content-Type: application/octet-stream" --data-binary served "$u&digest=sha256:$(printf served | sha256sum | cut -d' ' -f1)"`,
		exit:   143,
	},
	{
		name: "Radicale", program: "radicale", pkg: "radicale",
		setup:  `mkdir /srv/cal; chown nobody /srv/cal`,
		run:    `exec setpriv --reuid nobody --regid nogroup --clear-groups radicale --config "" --server-hosts 127.0.0.1:5232 --auth-type none --storage-filesystem-folder /srv/cal`,
		serves: `curl -fsS -u bob: -X MKCALENDAR http://127.0.0.1:5232/bob/c$(date +%N)/`,
	},
}

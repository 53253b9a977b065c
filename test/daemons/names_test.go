package daemons

// names are servers for names, time and networks.
var names = []daemon{
	{
		name: "BIND", program: "named", pkg: "bind9, bind9-dnsutils",
		setup: `mkdir -p /run/named /var/cache/bind; chown bind /run/named /var/cache/bind; rndc-confgen -a
printf 'options { directory "/var/cache/bind"; listen-on { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; pid-file "/run/named/p"; };\nzone "pod" { type master; file "/srv/zone"; };\nlogging { channel c { file "/var/cache/bind/log"; severity info; }; category default { c; }; category general { c; }; };\n' >/srv/named.conf
printf '$TTL 60\n@ IN SOA a. b. 1 1 1 1 1\n@ NS a.pod.\na A 192.0.2.1\n' >/srv/zone`,
		run:     `exec named -f -u bind -c /srv/named.conf`,
		keys:    "ready: notify",
		serves:  `dig +short @127.0.0.1 a.pod | grep 192.0.2.1`,
		reload:  "HUP",
		reloads: `grep -c 'reloading configuration succeeded' /var/cache/bind/log`,
		control: `rndc reload`,
	},
	{
		name: "Unbound", program: "unbound", pkg: "unbound, bind9-dnsutils",
		setup: `cat >/srv/u.conf <<E
server:
  interface: 127.0.0.1
  logfile: /srv/log
  verbosity: 1
  chroot: ""
  pidfile: /srv/pid
  local-data: "a.pod. A 192.0.2.1"
remote-control:
  control-enable: yes
  control-interface: /run/unbound.ctl
  control-use-cert: no
E
touch /srv/log; chown unbound /srv/log; chmod 777 /run /srv`,
		run:     `exec unbound -d -c /srv/u.conf`,
		keys:    "ready: notify",
		serves:  `dig +short @127.0.0.1 a.pod | grep 192.0.2.1`,
		reload:  "HUP",
		reloads: `grep -c 'Restart of unbound\|start of service' /srv/log`,
		control: `unbound-control -c /srv/u.conf reload`,
	},
	{
		name: "dnsmasq", program: "dnsmasq", pkg: "dnsmasq, bind9-dnsutils",
		setup:   `printf 'listen-address=127.0.0.1\nbind-interfaces\nno-resolv\naddress=/a.pod/192.0.2.1\nlog-facility=/srv/log\npid-file=/srv/pid\n' >/srv/d.conf`,
		run:     `exec dnsmasq -k --user=root -C /srv/d.conf`,
		serves:  `dig +short @127.0.0.1 a.pod | grep 192.0.2.1`,
		reload:  "HUP",
		reloads: `grep -c 'read /etc/hosts' /srv/log`,
	},
	{
		name: "NSD", program: "nsd", pkg: "nsd, bind9-dnsutils",
		setup: `printf 'server:\n  ip-address: 127.0.0.1\n  zonesdir: /srv\n  logfile: /srv/log\n  database: ""\n  pidfile: /srv/pid\n  username: nsd\n  verbosity: 2\n  zonelistfile: /srv/zl\n  xfrdfile: /srv/xf\nremote-control:\n  control-enable: yes\n  control-interface: /run/nsd.ctl\nzone:\n  name: pod\n  zonefile: zone\n' >/srv/nsd.conf
printf '$ORIGIN pod.\n$TTL 60\n@ IN SOA a. b. 1 1 1 1 1\n@ NS a.pod.\na A 192.0.2.1\n' >/srv/zone; touch /srv/log; chown nsd /srv/log; chmod 777 /srv /run`,
		run:     `exec nsd -d -c /srv/nsd.conf`,
		keys:    "ready: notify",
		serves:  `dig +short @127.0.0.1 a.pod | grep 192.0.2.1`,
		reload:  "HUP",
		control: `nsd-control -c /srv/nsd.conf reload`,
	},
	{
		name: "Knot DNS", program: "knotd", pkg: "knot, bind9-dnsutils",
		setup: `mkdir -p /srv/k /run/knot; printf 'server:\n  listen: 127.0.0.1@53\n  rundir: /run/knot\n  user: knot:knot\ndatabase:\n  storage: /srv/k\nlog:\n - target: /srv/k/log\n   any: info\nzone:\n - domain: pod\n   storage: /srv/k\n   file: zone\n' >/srv/knot.conf
printf '$ORIGIN pod.\n$TTL 60\n@ IN SOA a. b. 1 1 1 1 1\n@ NS a.pod.\na A 192.0.2.1\n' >/srv/k/zone; chown -R knot /srv/k /run/knot`,
		run:     `exec knotd -c /srv/knot.conf`,
		keys:    "ready: notify",
		serves:  `dig +short @127.0.0.1 a.pod | grep 192.0.2.1`,
		reload:  "HUP",
		reloads: `grep -c 'configuration reloaded' /srv/k/log`,
		control: `knotc -c /srv/knot.conf reload`,
	},
	{
		name: "PowerDNS", program: "pdns_server", pkg: "pdns-server, pdns-backend-bind, bind9-dnsutils",
		setup: `mkdir -p /srv/p /run/pdns; printf 'launch=bind\nbind-config=/srv/p/named.conf\nlocal-address=127.0.0.1\nsocket-dir=/run/pdns\nsetuid=pdns\nsetgid=pdns\n' >/srv/p/pdns.conf
printf 'zone "pod" { type master; file "/srv/p/zone"; };\n' >/srv/p/named.conf; chown pdns /run/pdns
printf '$ORIGIN pod.\n$TTL 60\n@ IN SOA a. b. 1 1 1 1 1\n@ NS a.pod.\na A 192.0.2.1\n' >/srv/p/zone`,
		run:     `exec pdns_server --config-dir=/srv/p --daemon=no --guardian=no`,
		keys:    "ready: notify",
		serves:  `dig +short @127.0.0.1 a.pod | grep 192.0.2.1`,
		control: `pdns_control --config-dir=/srv/p rediscover`,
		exit:    143,
	},
	{
		name: "chrony", program: "chronyd", pkg: "chrony",
		setup:   `mkdir -p /run/chrony; chown _chrony:_chrony /run/chrony; chmod 750 /run/chrony; printf 'local stratum 8\nallow 127.0.0.1\npidfile /run/c.pid\nuser _chrony\n' >/srv/c.conf`,
		run:     `exec chronyd -d -x -f /srv/c.conf`,
		serves:  `chronyc -h 127.0.0.1 tracking | grep Stratum`,
		control: `chronyc reload sources`,
	},
	{
		name: "Tor", program: "tor", pkg: "tor",
		setup:   `mkdir -m 700 /srv/tor; chown debian-tor /srv/tor; printf 'SocksPort 9050\nControlPort 9051\nDisableNetwork 1\nDataDirectory /srv/tor\nUser debian-tor\nLog notice file /srv/tor/log\n' >/srv/torrc`,
		run:     `exec tor -f /srv/torrc`,
		keys:    "ready: notify\nstop_signal: SIGINT",
		serves:  `ask 9051 'AUTHENTICATE\r\nGETINFO version\r\n' version=`,
		reload:  "HUP",
		reloads: `grep -c 'Received reload signal' /srv/tor/log`,
		control: `ask 9051 'AUTHENTICATE\r\nSIGNAL RELOAD\r\nQUIT\r\n' closing`,
	},
	{
		name: "coturn", program: "turnserver", pkg: "coturn",
		setup:  `printf 'listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nno-auth\nno-cli\nno-tls\nno-dtls\nlog-file=stdout\npidfile=/srv/pid\nproc-user=turnserver\nproc-group=turnserver\n' >/srv/t.conf`,
		run:    `exec turnserver -c /srv/t.conf`,
		serves: `timeout 2 turnutils_stunclient 127.0.0.1 | grep -i 'reflexive'`,
		exit:   143,
	},
	{
		name: "snmpd", program: "snmpd", pkg: "snmpd, snmp",
		setup:  `printf 'agentaddress udp:127.0.0.1:161\nrocommunity public\nsysName served\n' >/srv/snmpd.conf; mkdir -p /var/lib/snmp; chown Debian-snmp /var/lib/snmp`,
		run:    `exec snmpd -f -Lo -C -c /srv/snmpd.conf -u Debian-snmp -g Debian-snmp`,
		keys:   "ready: notify",
		serves: `snmpget -v2c -c public 127.0.0.1 1.3.6.1.2.1.1.5.0 | grep served`,
		reload: "HUP",
	},
}

package daemons

// web are servers and proxies for HTTP.
var web = []daemon{
	{
		name: "nginx", program: "nginx", pkg: "nginx",
		setup: `cat >/srv/nginx.conf <<E
pid /run/nginx.pid;
error_log /var/log/nginx/error.log notice;
events {}
http { server { listen 80; location / { return 200 "served"; } } }
E
mkdir -p /var/log/nginx; : >/var/log/nginx/error.log`,
		run:     `exec nginx -c /srv/nginx.conf -g "daemon off;"`,
		keys:    "stop_signal: SIGQUIT",
		serves:  `curl -fsS http://127.0.0.1/ | grep served`,
		reload:  "HUP",
		reloads: `grep -c ': reconfiguring' /var/log/nginx/error.log`,
		control: `nginx -c /srv/nginx.conf -s reload`, refused: "nginx -s reload",
	},
	{
		name: "Apache httpd", program: "apache2", pkg: "apache2",
		setup: `cat >/srv/apache.conf <<E
ServerRoot /srv
ServerName pod
PidFile /run/apache2.pid
DefaultRuntimeDir /run
ErrorLog /srv/error.log
Listen 80
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
DocumentRoot /srv/www
E
mkdir /srv/www; echo served >/srv/www/index.html; : >/srv/error.log`,
		run:     `exec apache2 -DFOREGROUND -f /srv/apache.conf`,
		serves:  `curl -fsS http://127.0.0.1/index.html | grep served`,
		reload:  "USR1",
		reloads: `grep -c AH00493 /srv/error.log`,
		control: `apache2 -f /srv/apache.conf -k graceful`, refused: "apache2 -k graceful",
	},
	{
		name: "lighttpd", program: "lighttpd", pkg: "lighttpd",
		setup: `cat >/srv/lighttpd.conf <<E
server.document-root = "/srv/www"
server.port = 80
server.username = "www-data"
server.groupname = "www-data"
server.errorlog = "/srv/error.log"
E
mkdir /srv/www; echo served >/srv/www/index.html; touch /srv/error.log; chown www-data /srv/error.log`,
		run:     `exec lighttpd -D -f /srv/lighttpd.conf`,
		serves:  `curl -fsS http://127.0.0.1/index.html | grep served`,
		reload:  "HUP",
		reloads: `grep -c 'logfiles cycled' /srv/error.log`,
	},
	{
		name: "Caddy", program: "caddy", pkg: "caddy",
		setup:   `printf ':80 {\nrespond served\n}\n' >/srv/Caddyfile`,
		run:     `exec caddy run --config /srv/Caddyfile --adapter caddyfile 2>/srv/log`,
		keys:    "ready: notify",
		serves:  `curl -fsS http://127.0.0.1/ | grep served`,
		reloads: `grep -c '/load' /srv/log`,
		control: `caddy reload --force --config /srv/Caddyfile --adapter caddyfile`,
	},
	{
		name: "HAProxy", program: "haproxy", pkg: "haproxy, netcat-openbsd",
		setup: `cat >/srv/haproxy.cfg <<E
global
  user haproxy
  group haproxy
  chroot /srv/empty
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind :80
  http-request return status 200 content-type text/plain string served
E
mkdir /srv/empty`,
		run:     `exec haproxy -Ws -S /run/master.sock -f /srv/haproxy.cfg`,
		keys:    "ready: notify",
		serves:  `curl -fsS http://127.0.0.1/ | grep served && echo show proc | nc -NU /run/master.sock | grep worker`,
		reload:  "USR2",
		reloads: `echo show proc | nc -NU /run/master.sock | awk '/ master /{print $3}'`,
		control: `for try in 1 2 3 4 5; do echo reload | nc -NU /run/master.sock && exit 0; sleep 0.2; done; exit 1`,
	},
	{
		name: "Varnish", program: "varnishd", pkg: "varnish",
		setup:   `mkdir /srv/v; printf 'vcl 4.1;\nbackend default none;\nsub vcl_recv { return (synth(200, "served")); }\n' >/srv/v.vcl`,
		run:     `exec varnishd -F -a 127.0.0.1:80 -f /srv/v.vcl -n /srv/v -s malloc,10m`,
		serves:  `curl -fsSi http://127.0.0.1/ | grep served`,
		reloads: `varnishadm -n /srv/v vcl.list | wc -l`,
		control: `varnishadm -n /srv/v vcl.load v$(date +%N) /srv/v.vcl`,
	},
	{
		name: "Squid", program: "squid", pkg: "squid",
		setup: `cat >/srv/squid.conf <<E
http_port 3128
http_access allow all
pid_filename /run/squid.pid
cache_log /var/log/squid/cache.log
shutdown_lifetime 0 seconds
E
mkdir -p /var/log/squid /www; chown proxy /var/log/squid; echo served >/srv/served`,
		run: `(cd /srv; exec /usr/bin/python3 -m http.server 8000) &
exec squid --foreground -YC -f /srv/squid.conf`,
		serves:  `curl -fsS -x http://127.0.0.1:3128 http://127.0.0.1:8000/served | grep served`,
		reload:  "HUP",
		reloads: `grep -c 'Reconfiguring Squid' /var/log/squid/cache.log`,
		control: `squid -f /srv/squid.conf -k reconfigure`, refused: "squid -k reconfigure",
	},
	{
		name: "Privoxy", program: "privoxy", pkg: "privoxy",
		setup:  `printf 'listen-address 127.0.0.1:8118\nconfdir /etc/privoxy\n' >/srv/privoxy.conf`,
		run:    `exec privoxy --no-daemon --user privoxy /srv/privoxy.conf`,
		serves: `curl -fsS -x http://127.0.0.1:8118 http://p.p/ | grep -i privoxy`,
		reload: "HUP",
		exit:   15,
	},
	{
		name: "Tinyproxy", program: "tinyproxy", pkg: "tinyproxy",
		setup:   `printf 'Port 8888\nListen 127.0.0.1\nUser tinyproxy\nGroup tinyproxy\nStatHost "stats"\nLogFile "/srv/log"\nLogLevel Info\n' >/srv/tinyproxy.conf; touch /srv/log; chown tinyproxy /srv/log`,
		run:     `exec tinyproxy -d -c /srv/tinyproxy.conf`,
		serves:  `curl -fsS -x http://127.0.0.1:8888 http://stats/ | grep -i tinyproxy`,
		reload:  "USR1",
		reloads: `grep -ci reload /srv/log`,
	},
	{
		name: "stunnel", program: "stunnel4", pkg: "stunnel4",
		setup: `cd /srv; openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=pod -days 2 2>&1
chmod 600 key.pem
printf 'foreground = yes\npid =\noutput = /srv/log\n[web]\naccept = 127.0.0.1:443\nconnect = 127.0.0.1:8000\ncert = /srv/cert.pem\nkey = /srv/key.pem\n' >stunnel.conf
echo served >served`,
		run: `(cd /srv; exec /usr/bin/python3 -m http.server 8000) &
exec stunnel4 /srv/stunnel.conf`,
		serves:  `curl -fsSk https://127.0.0.1/served | grep served`,
		reload:  "HUP",
		reloads: `grep -c 'Configuration successful' /srv/log`,
	},
	{
		name: "Icecast", program: "icecast2", pkg: "icecast2",
		setup: `cat >/srv/icecast.xml <<E
<icecast><limits><sources>2</sources></limits><authentication><source-password>x</source-password></authentication>
<hostname>pod</hostname><listen-socket><port>8000</port></listen-socket>
<paths><basedir>/srv</basedir><logdir>/srv</logdir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot></paths>
<logging><errorlog>log</errorlog><loglevel>4</loglevel></logging></icecast>
E
chmod 777 /srv`,
		run:    `exec setpriv --reuid icecast2 --regid icecast --clear-groups icecast2 -c /srv/icecast.xml`,
		serves: `curl -fsS http://127.0.0.1:8000/status-json.xsl | grep icestats`,
		reload: "HUP",
	},
}

package daemons

// applications are servers that run somebody's program.
var applications = []daemon{
	{
		name: "PHP-FPM", program: "php-fpm8.2", pkg: "php-fpm, libfcgi-bin",
		setup: `printf '[global]\nerror_log = /srv/log\npid = /run/fpm.pid\n[www]\nuser = www-data\ngroup = www-data\nlisten = 127.0.0.1:9000\npm = static\npm.max_children = 2\n' >/srv/fpm.conf
echo '<?php mkdir("/srv/www/d"); rename("/srv/www/f", "/srv/www/d/f"); echo file_exists("/srv/www/d/f") ? "served" : "lost";' >/srv/a.php
mkdir /srv/www; chown www-data /srv/www; echo f >/srv/www/f`,
		run:     `exec php-fpm8.2 -F -y /srv/fpm.conf`,
		keys:    "ready: notify\nstop_signal: SIGQUIT",
		serves:  `SCRIPT_FILENAME=/srv/a.php REQUEST_METHOD=GET cgi-fcgi -bind -connect 127.0.0.1:9000 | grep served`,
		reload:  "USR2",
		reloads: `grep -c 'using inherited socket\|ready to handle' /srv/log`,
	},
	{
		name: "Python http.server", program: "/usr/bin/python3", pkg: "python3",
		setup:  `echo served >/srv/served`,
		run:    `cd /srv; exec setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/python3 -m http.server 80`,
		keys:   "stop_signal: SIGINT",
		serves: `curl -fsS http://127.0.0.1/served | grep served`,
	},
	{
		name: "Gunicorn", program: "gunicorn", pkg: "gunicorn",
		setup:   `printf 'def application(e, s):\n    s("200 OK", [])\n    return [b"served"]\n' >/srv/app.py`,
		run:     `exec gunicorn -b 127.0.0.1:80 -w 2 -u www-data --chdir /srv app:application 2>/srv/log`,
		keys:    "ready: notify",
		serves:  `curl -fsS http://127.0.0.1/ | grep served`,
		reload:  "HUP",
		reloads: `grep -c 'Hang up' /srv/log`,
	},
	{
		name: "Uvicorn", program: "/usr/lib/python3/dist-packages/uvicorn/main.py", pkg: "python3-uvicorn",
		setup: `cat >/srv/app.py <<E
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})
E`,
		run:    `exec /usr/bin/python3 -m uvicorn --host 127.0.0.1 --port 80 --lifespan off --workers 2 --app-dir /srv app:app`,
		serves: `curl -fsS http://127.0.0.1/ | grep served`,
	},
	{
		name: "uWSGI", program: "uwsgi-core", pkg: "uwsgi-core, uwsgi-plugin-python3",
		setup: `printf 'def application(e, s):\n    s("200 OK", [])\n    return [b"served"]\n' >/srv/app.py; touch /srv/log; chown -R www-data /srv`,
		run: `exec /usr/bin/uwsgi-core --plugin python3 --http-socket 127.0.0.1:80 --wsgi-file /srv/app.py --master -p 1 --uid www-data --gid www-data \
  --die-on-term --pidfile /srv/pid --logto /srv/log --master-fifo /srv/fifo`,
		// A worker that is asked while it starts goes on, and its master waits for it, so there is only the one that answers.
		serves:  `curl -fsS http://127.0.0.1/ | grep served`,
		reload:  "HUP",
		reloads: `grep -c 'gracefully killing' /srv/log`,
		control: `uwsgi-core --reload /srv/pid`, refused: "uwsgi --reload",
	},
	{
		name: "uWSGI emperor", program: "uwsgi-core", pkg: "uwsgi-core, uwsgi-plugin-python3",
		setup: `mkdir /srv/vassals; printf 'def application(e, s):\n    s("200 OK", [])\n    return [b"served"]\n' >/srv/app.py
printf '[uwsgi]\nplugin = python3\nhttp-socket = 127.0.0.1:80\nwsgi-file = /srv/app.py\nmaster = true\nuid = www-data\n' >/srv/vassals/a.ini`,
		run:     `exec /usr/bin/uwsgi-core --master --emperor /srv/vassals --die-on-term --logto /srv/log`,
		serves:  `curl -fsS http://127.0.0.1/ | grep served`,
		reloads: `grep -c 'Starting uWSGI' /srv/log`,
		control: `touch -d @$(($(stat -c %Y /srv/vassals/a.ini) + 10)) /srv/vassals/a.ini`,
	},
	{
		name: "Celery", program: "celery", pkg: "celery, python3-redis",
		setup: `cat >/srv/tasks.py <<E
from celery import Celery
app = Celery("tasks", broker="redis://127.0.0.1/", backend="redis://127.0.0.1/")
@app.task
def add(a, b): return a + b
E`,
		run: `cd /srv; redis-server --port 6379 --save "" >/dev/null &
exec celery -A tasks worker --concurrency 2 --uid www-data`,
		serves: `cd /srv; timeout 20 /usr/bin/python3 -c 'import tasks; assert tasks.add.delay(2, 3).get(timeout=15) == 5'`,
	},
	{
		name: "Puma", program: "/usr/share/rubygems-integration/all/gems/sd_notify-0.1.1/lib/sd_notify.rb", pkg: "puma, ruby-sd-notify",
		setup:   `echo 'run proc { [200, {}, ["served"]] }' >/srv/config.ru`,
		run:     `cd /srv; exec puma -w 2 -b tcp://127.0.0.1:80 -S /srv/state --control-url tcp://127.0.0.1:9293 --control-token t config.ru >/srv/log 2>&1`,
		keys:    "ready: notify\nstop_signal: SIGINT",
		serves:  `curl -fsS http://127.0.0.1/ | grep served`,
		reload:  "USR1",
		reloads: `grep -c 'phased worker restart' /srv/log`,
		control: `pumactl -C tcp://127.0.0.1:9293 -T t phased-restart`,
	},
	{
		name: "Unicorn", program: "unicorn", pkg: "unicorn",
		setup:   `echo 'run proc { [200, {}, ["served"]] }' >/srv/config.ru; echo 'user "www-data"' >/srv/u.rb`,
		run:     `cd /srv; exec unicorn -c /srv/u.rb -l 127.0.0.1:80 config.ru 2>/srv/log`,
		keys:    "stop_signal: SIGQUIT",
		serves:  `curl -fsS http://127.0.0.1/ | grep served`,
		reload:  "HUP",
		reloads: `grep -c 'done reloading' /srv/log`,
	},
	{
		name: "Sidekiq", program: "sidekiq", pkg: "ruby-sidekiq",
		setup: `cat >/srv/sk.rb <<E
require "sidekiq"
class W; include Sidekiq::Worker; def perform; File.write("/srv/done/f", "x"); end; end
E
mkdir -m 777 /srv/done`,
		run: `cd /srv; redis-server --port 6379 --save "" >/dev/null &
exec sidekiq -r /srv/sk.rb -c 2`,
		keys:   "ready: notify",
		serves: `ruby -r /srv/sk.rb -e 'W.perform_async' && sleep 1 && cat /srv/done/f`,
	},
	{
		name: "Node.js", program: "/usr/bin/node", pkg: "nodejs",
		setup:  `echo 'const h = require("http").createServer((q, s) => s.end("served")); h.listen(80); process.on("SIGTERM", () => h.close())' >/srv/a.js`,
		run:    `exec setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/node /srv/a.js`,
		serves: `curl -fsS http://127.0.0.1/ | grep served`,
	},
	{
		name: "Java", program: "/usr/bin/java", pkg: "openjdk-17-jdk-headless",
		setup: `cat >/srv/H.java <<E
import com.sun.net.httpserver.HttpServer;
public class H { public static void main(String[] a) throws Exception {
	HttpServer h = HttpServer.create(new java.net.InetSocketAddress(80), 0);
	h.createContext("/", x -> { x.sendResponseHeaders(200, 6); x.getResponseBody().write("served".getBytes()); x.close(); });
	h.start();
} }
E`,
		run:    `exec setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/java /srv/H.java`,
		serves: `curl -fsS http://127.0.0.1/ | grep served`,
		exit:   143,
	},
	{
		name: "Supervisor", program: "/usr/bin/supervisord", pkg: "supervisor",
		setup: `echo served >/srv/served; cat >/srv/supervisord.conf <<E
[supervisord]
logfile=/srv/log
pidfile=/run/supervisord.pid
user=root
[unix_http_server]
file=/run/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///run/supervisor.sock
[program:web]
command=/usr/bin/python3 -m http.server 80
directory=/srv
user=www-data
E`,
		run:     `exec /usr/bin/supervisord -n -c /srv/supervisord.conf >/dev/null`,
		serves:  `curl -fsS http://127.0.0.1/served | grep served`,
		reload:  "HUP",
		reloads: `grep -c 'spawned' /srv/log`,
		control: `supervisorctl -c /srv/supervisord.conf restart web`,
	},
	{
		name: "runit", program: "runsvdir", pkg: "runit",
		setup: `mkdir -p /srv/sv/web; echo served >/srv/served
printf '#!/bin/sh\ndate +%%N >>/srv/log\ncd /srv; exec chpst -u www-data /usr/bin/python3 -m http.server 80\n' >/srv/sv/web/run; chmod +x /srv/sv/web/run`,
		run:     `exec runsvdir -P /srv/sv`,
		keys:    "stop_signal: SIGHUP",
		serves:  `curl -fsS http://127.0.0.1/served | grep served`,
		reloads: `wc -l </srv/log`,
		control: `sv restart /srv/sv/web`,
		exit:    111,
	},
	{
		name: "s6", program: "s6-svscan", pkg: "s6",
		setup: `mkdir -p /srv/sv/web; echo served >/srv/served
printf '#!/bin/sh\ndate +%%N >>/srv/log\ncd /srv; exec s6-setuidgid www-data /usr/bin/python3 -m http.server 80\n' >/srv/sv/web/run; chmod +x /srv/sv/web/run`,
		run:     `exec s6-svscan /srv/sv`,
		serves:  `curl -fsS http://127.0.0.1/served | grep served`,
		reloads: `wc -l </srv/log`,
		control: `s6-svc -r /srv/sv/web`,
	},
}

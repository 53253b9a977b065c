package daemons

// brokers pass messages on.
var brokers = []daemon{
	{
		name: "RabbitMQ", program: "rabbitmq-server", pkg: "rabbitmq-server, netcat-openbsd",
		setup: `mkdir -p /srv/mq /var/log/rabbitmq; chown rabbitmq /srv/mq /var/log/rabbitmq`,
		// A client would start epmd too, and it would end with the client's job.
		run:     `epmd -daemon; export RABBITMQ_MNESIA_BASE=/srv/mq RABBITMQ_NODENAME=r@localhost; exec rabbitmq-server`,
		keys:    "ready: notify\nkill_mode: control-group\nstop_grace_period: 30s",
		serves:  `nc -z 127.0.0.1 4369; export RABBITMQ_NODENAME=r@localhost; rabbitmqctl await_startup && rabbitmqctl add_vhost v$(date +%N) && rabbitmqctl list_vhosts`,
		control: `export RABBITMQ_NODENAME=r@localhost; rabbitmqctl list_queues`,
		exit:    143,
	},
	{
		name: "Mosquitto", program: "mosquitto", pkg: "mosquitto, mosquitto-clients",
		setup:   `printf 'listener 1883 127.0.0.1\nallow_anonymous true\nuser mosquitto\nlog_dest file /srv/log\n' >/srv/m.conf; touch /srv/log; chown mosquitto /srv/log`,
		run:     `exec mosquitto -c /srv/m.conf`,
		keys:    "ready: notify",
		serves:  `mosquitto_pub -r -t a -m served && mosquitto_sub -W 5 -C 1 -t a | grep served`,
		reload:  "HUP",
		reloads: `grep -c 'Reloading config' /srv/log`,
	},
	{
		name: "NATS", program: "nats-server", pkg: "nats-server",
		setup:   `printf 'port: 4222\npid_file: "/srv/pid"\nlog_file: "/srv/log"\n' >/srv/n.conf`,
		run:     `exec nats-server -c /srv/n.conf`,
		keys:    "stop_signal: SIGINT",
		serves:  `ask 4222 'CONNECT {"verbose":true}\r\nPING\r\n' PONG`,
		reload:  "HUP",
		reloads: `grep -c 'Reloaded server' /srv/log`,
		control: `nats-server --signal reload=/srv/pid`, refused: "nats-server --signal reload",
	},
	{
		name: "Beanstalkd", program: "beanstalkd", pkg: "beanstalkd",
		setup:  `mkdir /srv/b; chown nobody /srv/b`,
		run:    `exec beanstalkd -l 127.0.0.1 -b /srv/b -u nobody`,
		serves: `ask 11300 'put 0 0 9 6\r\nserved\r\nreserve\r\n' served`,
		exit:   143,
	},
	{
		name: "Gearman", program: "gearmand", pkg: "gearman-job-server",
		run:    `exec gearmand -L 127.0.0.1 -l stderr -u nobody`,
		serves: `ask 4730 'version\n' OK`,
	},
	{
		name: "D-Bus", program: "dbus-daemon", pkg: "dbus",
		setup: `mkdir -p /run/dbus
mkdir -p /etc/dbus-1/system.d
printf '[D-BUS Service]\nName=pod.Ping\nExec=/bin/sleep 5\nUser=root\n' >/etc/dbus-1/pod.Ping.service
cat >/etc/dbus-1/system-local.conf <<E
<busconfig><servicedir>/etc/dbus-1</servicedir><limit name="service_start_timeout">3000</limit>
<policy context="default"><allow own="*"/><allow send_destination="*"/></policy></busconfig>
E`,
		run:     `exec dbus-daemon --system --nofork --nopidfile`,
		keys:    "ready: notify",
		serves:  `dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames | grep DBus`,
		reload:  "HUP",
		control: `dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ReloadConfig`,
		lost: []use{{
			does: `dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.StartServiceByName string:pod.Ping uint32:0 2>&1 | tee /dev/stderr | grep -v 'setuid\|permission'`,
			in:   "setuid",
			says: "services that the system bus starts (its launch helper is set-user-ID)",
		}},
	},
	{
		name: "rsyslog", program: "rsyslogd", pkg: "rsyslog",
		setup:   `printf 'global(processInternalMessages="on")\nmodule(load="imuxsock" SysSock.Name="/srv/log.sock")\n*.* /srv/messages\nsyslog.* /srv/self\n' >/srv/r.conf`,
		run:     `exec rsyslogd -n -iNONE -f /srv/r.conf`,
		keys:    "ready: notify",
		serves:  `logger -u /srv/log.sock served && sleep 0.2 && grep served /srv/messages`,
		reload:  "HUP",
		reloads: `grep -c HUPed /srv/self`,
	},
}

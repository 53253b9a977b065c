package daemons

// databases are servers that keep data.
var databases = []daemon{
	{
		name: "PostgreSQL", program: "/usr/lib/postgresql/15/bin/postgres", pkg: "postgresql-15",
		setup: `mkdir -p /srv/pg /run/postgresql; chown postgres /srv/pg /run/postgresql
cd /srv; setpriv --reuid postgres --regid postgres --clear-groups /usr/lib/postgresql/15/bin/initdb -A trust -D /srv/pg
echo "log_destination = stderr" >>/srv/pg/postgresql.conf`,
		run:     `exec setpriv --reuid postgres --regid postgres --clear-groups /usr/lib/postgresql/15/bin/postgres -D /srv/pg 2>/srv/log`,
		keys:    "ready: notify\nstop_signal: SIGINT",
		serves:  `psql -h /run/postgresql -U postgres -c 'create table if not exists t (n int); insert into t values (1); checkpoint'`,
		reload:  "HUP",
		reloads: `grep -c 'received SIGHUP' /srv/log`,
		control: `setpriv --reuid postgres --regid postgres --clear-groups /usr/lib/postgresql/15/bin/pg_ctl -D /srv/pg reload`, refused: "pg_ctl reload",
	},
	{
		name: "MariaDB", program: "mariadbd", pkg: "mariadb-server",
		setup: `mkdir -p /srv/my /run/mysqld; chown mysql /srv/my /run/mysqld
mariadb-install-db --no-defaults --user=mysql --datadir=/srv/my --auth-root-authentication-method=normal --skip-test-db`,
		run:     `exec mariadbd --no-defaults --user=mysql --datadir=/srv/my --socket=/run/mysqld/s --general-log --general-log-file=/srv/my/general.log --flush-time=0`,
		keys:    "ready: notify",
		serves:  `mariadb --no-defaults -S /run/mysqld/s -e 'create database if not exists d; create or replace table d.t (n int) engine=aria; insert into d.t values (1); alter table d.t rename d.u, force; drop table d.u'`,
		reload:  "HUP",
		reloads: `ls -li /srv/my/general.log; grep -c started /srv/my/general.log`,
		control: `mariadb-admin --no-defaults -S /run/mysqld/s refresh`,
	},
	{
		name: "Redis", program: "redis-server", pkg: "redis-server",
		setup:  `mkdir /srv/redis; chown redis /srv/redis`,
		run:    `exec setpriv --reuid redis --regid redis --clear-groups redis-server --dir /srv/redis --appendonly yes --supervised systemd`,
		keys:   "ready: notify",
		serves: `redis-cli set a b | grep OK && redis-cli bgrewriteaof && redis-cli save | grep OK || { sleep 0.5; exit 1; }`,
	},
	{
		name: "Memcached", program: "memcached", pkg: "memcached",
		run:    `exec memcached -u memcache -l 127.0.0.1`,
		serves: `ask 11211 'set a 0 9 6\r\nserved\r\nget a\r\n' 'VALUE a'`,
	},
	{
		name: "etcd", program: "etcd", pkg: "etcd-server, etcd-client",
		run:    `exec etcd --data-dir /srv/etcd`,
		keys:   "ready: notify",
		serves: `export ETCDCTL_API=3; etcdctl put a served && etcdctl get a | grep served`,
		exit:   143,
	},
	{
		name: "InfluxDB", program: "influxd", pkg: "influxdb, influxdb-client",
		setup:  `mkdir -p /srv/i; printf '[meta]\ndir = "/srv/i/meta"\n[data]\ndir = "/srv/i/data"\nwal-dir = "/srv/i/wal"\n' >/srv/influx.conf`,
		run:    `exec influxd -config /srv/influx.conf`,
		serves: `influx -execute 'create database d' && influx -database d -execute 'insert m v=1' && influx -database d -execute 'select * from m' | grep 1`,
	},
	{
		name: "OpenLDAP", program: "slapd", pkg: "slapd, ldap-utils",
		setup: `mkdir -p /srv/ldap; chown openldap /srv/ldap; cat >/srv/slapd.conf <<E
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=pod"
rootdn "cn=admin,dc=pod"
rootpw secret
directory /srv/ldap
E`,
		run: `exec slapd -d 0 -u openldap -g openldap -h ldap://127.0.0.1 -f /srv/slapd.conf`,
		serves: `printf 'dn: dc=pod\nobjectClass: dcObject\nobjectClass: organization\no: pod\ndc: pod\n' | ldapadd -c -x -H ldap://127.0.0.1 -D cn=admin,dc=pod -w secret || true
ldapsearch -x -H ldap://127.0.0.1 -b dc=pod | grep 'dc: pod'`,
	},
	{
		name: "ZooKeeper", program: "/usr/share/zookeeper/bin/zkServer.sh", pkg: "zookeeper",
		setup:  `mkdir /srv/zk; printf 'tickTime=2000\ndataDir=/srv/zk\nclientPort=2181\n4lw.commands.whitelist=*\nadmin.enableServer=false\n' >/srv/zoo.cfg`,
		run:    `exec java -cp /etc/zookeeper/conf:/usr/share/java/zookeeper.jar:'/usr/share/java/*' org.apache.zookeeper.server.quorum.QuorumPeerMain /srv/zoo.cfg`,
		serves: `ask 2181 'ruok\n' imok`,
		exit:   143,
	},
	{
		name: "PgBouncer", program: "pgbouncer", pkg: "pgbouncer",
		setup:   `printf '[databases]\n[pgbouncer]\nlisten_addr = 127.0.0.1\nauth_type = any\nadmin_users = postgres\nlogfile = /srv/log\nunix_socket_dir =\n' >/srv/b.ini; touch /srv/log; chown postgres /srv/log`,
		run:     `exec pgbouncer -u postgres /srv/b.ini`,
		keys:    "ready: notify\nstop_signal: SIGINT",
		serves:  `psql -h 127.0.0.1 -p 6432 -U postgres pgbouncer -c 'show version' | grep -i pgbouncer`,
		reload:  "HUP",
		reloads: `grep -ciE 'sighup|RELOAD command' /srv/log`,
		control: `psql -h 127.0.0.1 -p 6432 -U postgres pgbouncer -c reload`,
	},
}

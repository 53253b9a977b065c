package daemons

// mail are servers for mail and chat.
var mail = []daemon{
	{
		name: "Postfix", program: "/usr/sbin/postfix", pkg: "postfix, swaks",
		setup: `useradd -m bob; mkdir -p /var/spool/postfix; cat >/etc/postfix/main.cf <<E
compatibility_level = 3.6
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination = pod, localhost
myhostname = pod
alias_maps =
alias_database =
home_mailbox = Maildir/
maillog_file = /var/log/postfix.log
E
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf; chown postfix /var/lib/postfix; echo pod >/etc/mailname; : >/var/log/postfix.log`,
		run:     `exec postfix start-fg`,
		keys:    "kill_mode: control-group\nstop_grace_period: 20s",
		serves:  `served=served$(date +%N); swaks --server 127.0.0.1 --to bob@pod --from a@pod --body $served >/dev/null; for i in 1 2 3 4 5 6 7 8; do sleep 0.2; grep -r $served /home/bob/Maildir/new && exit 0; done; exit 1`,
		reload:  "",
		reloads: `grep -c 'reload -- version' /var/log/postfix.log`,
		control: `said=$(postfix reload 2>&1); echo "$said"; case $said in *"not permitted"*) exit 1; esac`, refused: "postfix reload",
		exit: 143,
		lost: []use{{
			does: `printf 'Subject: x\n\nby hand\n' | setpriv --reuid bob --regid bob --clear-groups timeout 5 /usr/sbin/sendmail -f bob@pod bob@pod; sleep 0.5; ls /var/spool/postfix/maildrop 2>/dev/null`,
			in:   "postdrop",
			says: "`sendmail` by a user other than root (`postdrop` is set-group-ID)",
		}},
	},
	{
		name: "Dovecot", program: "dovecot", pkg: "dovecot-imapd",
		setup: `useradd -m bob; echo bob:pw | chpasswd; mkdir -p /run/dovecot; cat >/srv/dovecot.conf <<E
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
base_dir = /run/dovecot
log_path = /var/log/dovecot.log
mail_location = maildir:~/Maildir
passdb {
  driver = pam
}
userdb {
  driver = passwd
}
E
printf 'auth required pam_unix.so\naccount required pam_unix.so\n' >/etc/pam.d/dovecot`,
		run:  `exec dovecot -F -c /srv/dovecot.conf`,
		keys: "ready: notify",
		serves: `cd /srv; printf 'Subject: served\r\n\r\nx\r\n' >m; curl -fsS -u bob:pw -T m imap://127.0.0.1/INBOX && curl -fsS -u bob:pw 'imap://127.0.0.1/INBOX;MAILINDEX=1' | grep served
curl -fsS -u bob:pw -X 'CREATE "T"' imap://127.0.0.1/ || true
curl -fsS -u bob:pw -X 'MOVE 1 "T"' imap://127.0.0.1/INBOX`,
		reload:  "HUP",
		reloads: `grep -c 'SIGHUP received' /var/log/dovecot.log`,
		control: `doveadm -c /srv/dovecot.conf reload`, refused: "doveadm reload",
	},
	{
		name: "Prosody", program: "prosody", pkg: "prosody",
		setup:   `mkdir /srv/p /run/prosody; printf 'data_path = "/srv/p"\npidfile = "/run/prosody/prosody.pid"\nlog = { info = "/srv/p/log" }\nprosody_user = "prosody"\nprosody_group = "prosody"\nVirtualHost "pod"\n' >/srv/p.cfg.lua; chown prosody /srv/p /run/prosody`,
		run:     `exec setpriv --reuid prosody --regid prosody --clear-groups prosody -F --config /srv/p.cfg.lua`,
		serves:  `ask 5222 '<stream:stream to="pod" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" version="1.0">' features`,
		reload:  "HUP",
		reloads: `grep -c 'SIGHUP' /srv/p/log`,
		control: `prosodyctl --root --config /srv/p.cfg.lua reload`, refused: "prosodyctl reload",
	},
	{
		name: "ngIRCd", program: "ngircd", pkg: "ngircd",
		setup:  `printf '[Global]\nName = irc.pod\nInfo = served\nListen = 127.0.0.1\nServerUID = irc\nServerGID = irc\n[Options]\nIdent = no\nDNS = no\nPAM = no\n' >/srv/i.conf`,
		run:    `exec ngircd -n -f /srv/i.conf`,
		serves: `ask 6667 'NICK a\r\nUSER a 0 * :a\r\n' irc.pod`,
		reload: "HUP",
	},
	{
		name: "Mumble", program: "murmurd", pkg: "mumble-server",
		setup:  `printf 'database=/srv/m/db\nlogfile=/srv/m/log\nhost=127.0.0.1\nuname=mumble-server\npidfile=\nbonjour=False\n' >/srv/m.ini; mkdir /srv/m; chown mumble-server /srv/m`,
		run:    `exec murmurd -fg -ini /srv/m.ini`,
		serves: `openssl s_client -connect 127.0.0.1:64738 </dev/null 2>/dev/null | grep -i certificate`,
		reload: "HUP",
	},
}

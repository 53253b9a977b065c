package daemons

// logins are daemons that become other users.
var logins = []daemon{
	{
		name: "OpenSSH", program: "/usr/sbin/sshd", pkg: "openssh-server",
		setup: `mkdir -p /run/sshd /srv/ssh; useradd -m -s /bin/sh bob; echo 'bob ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/bob
ssh-keygen -qN '' -t ed25519 -f /srv/ssh/host; ssh-keygen -qN '' -t ed25519 -f /srv/ssh/key
mkdir -m 700 /home/bob/.ssh; cp /srv/ssh/key.pub /home/bob/.ssh/authorized_keys; chown -R bob /home/bob/.ssh
usermod -p '*' bob
cat >/srv/ssh/config <<E
ListenAddress 127.0.0.1
HostKey /srv/ssh/host
UsePAM yes
PidFile /run/sshd.pid
Subsystem sftp internal-sftp
E
printf '#!/bin/sh\nexec ssh -i /srv/ssh/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$@"\n' >/srv/ssh/c; chmod +x /srv/ssh/c
rm -f /run/nologin /etc/nologin`,
		run:     `exec /usr/sbin/sshd -D -e -f /srv/ssh/config 2>/srv/log`,
		keys:    "ready: notify",
		serves:  `/srv/ssh/c bob@127.0.0.1 id -un | grep bob && /srv/ssh/c -tt bob@127.0.0.1 'tty; echo x >~/f; mkdir -p ~/d; ln -f ~/f ~/d/g' </dev/null | grep /dev/pts && /srv/ssh/c bob@127.0.0.1 ping -c 1 127.0.0.1`,
		reload:  "HUP",
		reloads: `grep -c 'SIGHUP' /srv/log`,
		lost: []use{{
			does: `/srv/ssh/c bob@127.0.0.1 sudo id -un 2>&1 | tee /dev/stderr | grep -x root`,
			in:   "no new privileges",
			says: "`sudo` in a session (set-user-ID)",
		}},
	},
	{
		name: "cron", program: "/usr/sbin/cron", pkg: "cron",
		setup: `useradd -m bob; useradd -m eve; mkdir -p /var/spool/cron/crontabs; echo 'eve ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/eve
echo '@reboot id -un >~/ran' >/srv/b; crontab -u bob /srv/b
echo '@reboot sudo id -un >~/ran 2>&1' >/srv/e; crontab -u eve /srv/e`,
		run:    `exec cron -f`,
		serves: `grep bob /home/bob/ran`,
		reload: "HUP",
		exit:   143,
		lost: []use{{
			does: `cat /home/eve/ran >&2; grep -x root /home/eve/ran`,
			in:   "no new privileges",
			says: "`sudo` in a cron job (set-user-ID)",
		}, {
			does: `echo '* * * * * true' | setpriv --reuid bob --regid bob --clear-groups crontab -`,
			in:   "ermission denied",
			says: "`crontab -` by a user other than root (set-group-ID)",
		}},
	},
	{
		name: "Samba", program: "smbd", pkg: "samba, smbclient",
		setup: `useradd -m bob; mkdir -p /run/samba /srv/s; cat >/etc/samba/smb.conf <<E
[global]
interfaces = lo
bind interfaces only = yes
disable spoolss = yes
load printers = no
log file = /srv/s/log
log level = 1
private dir = /srv/s
lock directory = /srv/s
state directory = /srv/s
cache directory = /srv/s
[bob]
path = /home/bob
read only = no
E
printf 'pw\npw\n' | smbpasswd -s -a bob`,
		run:     `exec smbd -F --no-process-group`,
		keys:    "ready: notify",
		serves:  `cd /srv; echo x >f; smbclient -U bob%pw //127.0.0.1/bob -c 'put f; mkdir d; rename f d\f; get d\f g; del d\f; rmdir d'; grep x g`,
		reload:  "HUP",
		control: `smbcontrol smbd reload-config`,
		exit:    143,
	},
	{
		name: "vsftpd", program: "vsftpd", pkg: "vsftpd",
		setup: `useradd -m -s /bin/bash bob; echo bob:pw | chpasswd; mkdir -p /run/vsftpd/empty; printf 'listen=YES\nlisten_address=127.0.0.1\nlocal_enable=YES\nwrite_enable=YES\nsecure_chroot_dir=/run/vsftpd/empty\npam_service_name=vsftpd\nbackground=NO\nxferlog_enable=NO\n' >/srv/v.conf
printf 'auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_unix.so\n' >/etc/pam.d/vsftpd; rm -f /etc/ftpusers`,
		run:    `exec vsftpd /srv/v.conf`,
		serves: `cd /srv; echo served >f; curl -fsS -T f ftp://bob:pw@127.0.0.1/f && curl -fsS ftp://bob:pw@127.0.0.1/f | grep served`,
		reload: "HUP",
		exit:   143,
	},
	{
		name: "fail2ban", program: "fail2ban-server", pkg: "fail2ban",
		setup:   `mkdir -p /run/fail2ban; printf '[DEFAULT]\nbanaction = noop\n[sshd]\nenabled = false\n' >/etc/fail2ban/jail.local; printf '[Definition]\nactionban = true\n' >/etc/fail2ban/action.d/noop.conf; : >/var/log/fail2ban.log`,
		run:     `exec fail2ban-server -f --logtarget /var/log/fail2ban.log start`,
		serves:  `fail2ban-client ping | grep pong`,
		control: `fail2ban-client reload`,
		reloads: `grep -c 'Reload finished' /var/log/fail2ban.log`,
	},
}

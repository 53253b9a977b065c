# Makes the inside of a container with the capabilities and the settings of a default docker run, where no cgroup
# can be written: enter.sh SETUP COMMAND...
set -e
umount /sys/fs/cgroup
mount -t tmpfs -o ro tmpfs /sys/fs/cgroup
ip link set lo up
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start

# What the setup and the daemon change is gone afterwards.
mount -t tmpfs -o mode=755 tmpfs /srv
for dir in etc var home root; do
	mkdir -p /srv/.upper/$dir /srv/.work/$dir
	mount -t overlay -o lowerdir=/$dir,upperdir=/srv/.upper/$dir,workdir=/srv/.work/$dir overlay /$dir
done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 1777 /run/lock

sh -ec "$1" >/srv/.setup 2>&1 || { cat /srv/.setup; exit 1; } >&2
shift
keep=+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,+setgid,+setuid,+setfcap,+setpcap
exec setpriv --bounding-set=-all,$keep,+net_bind_service,+sys_chroot,+kill,+audit_write "$@"

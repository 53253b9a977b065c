#!/bin/sh
# kill(-1, sig) succeeds although the kernel refuses it for every process.
#
# POSIX has kill fail with EPERM if the caller may signal none of the processes, and Linux's kill(2) says
# the same. For a process group Linux does that. For -1 it does not: kill_something_info() in
# kernel/signal.c keeps EPERM out of the result and counts the processes that it has tried, so a call
# that reached nobody returns 0. Only where there is no other process at all it fails, with ESRCH.
# So the result of kill(-1, SIGKILL) does not tell whether anything will end.
#
# The program below becomes a user who has no other process and sends signal 0, which does nothing. It
# needs cc and root.
#
# Seen on Linux 6.18:
#   kill(1, 0): Operation not permitted
#   kill(-1, 0): Success
set -eu
[ "$(id -u)" = 0 ] || { echo "this needs root, to become a user without processes" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
cat >"$dir/k.c" <<'C'
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	if (setgid(61234) != 0 || setuid(61234) != 0)
		return 1;
	errno = 0;
	kill(1, 0);
	printf("kill(1, 0): %s\n", strerror(errno));
	errno = 0;
	kill(-1, 0);
	printf("kill(-1, 0): %s\n", strerror(errno));
	return 0;
}
C
cc -o "$dir/k" "$dir/k.c"
"$dir/k" | tee "$dir/seen"
printf '%s\n' 'kill(1, 0): Operation not permitted' 'kill(-1, 0): Success' | cmp -s - "$dir/seen"

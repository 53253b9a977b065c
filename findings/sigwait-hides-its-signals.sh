#!/bin/sh
# A process that waits in sigwait(3) for a signal shows it in /proc/PID/status as neither caught nor blocked.
#
# The process has blocked the signal, as sigwait asks for. While rt_sigtimedwait(2) sleeps, Linux takes the awaited
# signals out of the thread's mask (kernel/signal.c, do_sigtimedwait) and keeps the mask elsewhere. So SigBlk has no
# bit for them, SigCgt never had one, and the line says that the signal would have its default action: for SIGHUP to
# end the process. The signal is taken by sigwait all the same. Who decides by these lines whether a daemon handles
# a signal (BIND's named waits so) gets a wrong answer, and the same process is right about a signal that it has
# blocked and does not wait for. /proc/PID/wchan tells that it waits, if one may trace the process.
#
# The program below needs gcc. The bits are 1 for SIGHUP and 200 (hexadecimal) for SIGUSR1.
#
# Seen with gcc 12.2 and glibc 2.36 on Linux 6.18:
#   SigBlk: 0000000000000200
#   SigCgt: 0000000000000000
#   got 1
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.c <<'EOF'
#include <signal.h>
#include <stdio.h>

int main(void)
{
	sigset_t blocked, awaited;
	int got;

	sigemptyset(&awaited);
	sigaddset(&awaited, SIGHUP);
	blocked = awaited;
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigwait(&awaited, &got);
	printf("got %d\n", got);
	return 0;
}
EOF
gcc -o program main.c >log 2>&1 || { cat log; exit 2; }
./program >out &
pid=$!
until grep -q sigtimedwait "/proc/$pid/wchan"; do sleep 0.05; done
grep -E 'SigBlk|SigCgt' "/proc/$pid/status" | tr '\t' ' ' >seen
kill -HUP "$pid"
wait "$pid"
cat out >>seen
cat seen
printf 'SigBlk: 0000000000000200\nSigCgt: 0000000000000000\ngot 1\n' | cmp -s - seen

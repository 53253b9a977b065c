#!/bin/sh
# Whether a fork that is under way is given up when its process gets SIGTERM depends on another signal.
#
# Linux gives a clone(2) up if a fatal signal comes while it copies the process: no child is born. It
# calls a signal fatal when it is sent, in complete_signal() of kernel/signal.c, but not if the process has
# another signal pending already, be it one with a handler, and is not on a processor or to be woken for
# it. Then the fork goes on, the child is born without the signal, and the parent alone ends. SIGKILL is
# always fatal at once.
#
# A shell that catches SIGCHLD is in that state whenever one of its children has just ended: whoever
# signals the processes of a tree one after the other, children first, leaves a child over now and then.
#
# The program below forks a process with 256 MiB of small pages, which takes some milliseconds, and
# meanwhile sends it SIGTERM alone, or SIGCHLD, which it catches, and then SIGTERM. It counts the children
# that were born, 20 times each. It needs cc and 1 GiB of memory.
#
# Seen on Linux 6.18, two processors:
#   SIGTERM alone: no child is born
#   SIGCHLD, then SIGTERM: a child is born
set -eu
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
cat >"$dir/f.c" <<'C'
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void caught(int sig) { (void)sig; }

static int born(int withOther)
{
	int about[2], child[2];
	char c;
	if (pipe(about) != 0 || pipe(child) != 0)
		return -1;
	pid_t p = fork();
	if (p == 0) {
		size_t size = 1UL << 28;
		char *m = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		madvise(m, size, MADV_NOHUGEPAGE);
		memset(m, 1, size);
		signal(SIGCHLD, caught);
		if (write(about[1], "f", 1) != 1)
			_exit(1);
		if (fork() == 0) {
			if (write(child[1], "c", 1) != 1)
				_exit(1);
			_exit(0);
		}
		for (;;)
			pause();
	}
	close(about[1]);
	close(child[1]);
	if (read(about[0], &c, 1) != 1)
		return -1;
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, 0);
	if (withOther)
		kill(p, SIGCHLD);
	kill(p, SIGTERM);
	waitpid(p, 0, 0);
	int is = read(child[0], &c, 1) == 1;
	close(about[0]);
	close(child[0]);
	return is;
}

int main(void)
{
	int n[2] = {0, 0};
	cpu_set_t one; /* so that a process that is sent a signal is not on a processor */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one);
	for (int i = 0; i < 20; i++) {
		n[0] += born(0);
		n[1] += born(1);
	}
	fprintf(stderr, "%d and %d of 20\n", n[0], n[1]);
	printf("SIGTERM alone: %s\n", n[0] == 0 ? "no child is born" : "a child is born");
	printf("SIGCHLD, then SIGTERM: %s\n", n[1] == 0 ? "no child is born" : "a child is born");
	return 0;
}
C
cc -O1 -o "$dir/f" "$dir/f.c"
"$dir/f" >"$dir/seen"
cat "$dir/seen"
printf '%s\n' 'SIGTERM alone: no child is born' 'SIGCHLD, then SIGTERM: a child is born' | cmp -s - "$dir/seen"

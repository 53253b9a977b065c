#!/bin/sh
# A Go program reads the CPU limit of its cgroup at each start, also where it is told not to use it.
#
# Since Go 1.25 the default of GOMAXPROCS follows the CPU limit of the cgroup. The setting containermaxprocs=0
# turns that off, and so does a number in GOMAXPROCS. But the runtime first parses /proc/self/cgroup and
# /proc/self/mountinfo, and opens and reads the files of the limit. Only then does it look whether anybody
# wants to know. A host can have thousands of mounts, and the kernel writes the whole table for each start.
#
# The program below does nothing. It needs go and strace.
#
# Seen with Go 1.26.8 on Linux 6.18:
#   nothing set: /proc/self/cgroup /proc/self/mountinfo
#   containermaxprocs=0: /proc/self/cgroup /proc/self/mountinfo
#   GOMAXPROCS=2: /proc/self/cgroup /proc/self/mountinfo
set -eu
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
printf 'package main\n\nfunc main() {}\n' >"$dir/main.go"
(cd "$dir" && GO111MODULE=off go build -o nothing main.go)

# reads WHAT [NAME=VALUE] starts the program with a variable and prints what it opens below /proc/self.
reads() {
	what=$1
	shift
	env "$@" strace -f -o "$dir/trace" -e trace=openat "$dir/nothing"
	echo "$what:$(grep -o '/proc/self/[a-z]*' "$dir/trace" | tr '\n' ' ' | sed 's/^/ /; s/ $//')"
}
unset GOMAXPROCS GODEBUG
{
	reads "nothing set"
	reads "containermaxprocs=0" GODEBUG=containermaxprocs=0
	reads "GOMAXPROCS=2" GOMAXPROCS=2
} | tee "$dir/seen"
both='/proc/self/cgroup /proc/self/mountinfo'
printf '%s\n' "nothing set: $both" "containermaxprocs=0: $both" "GOMAXPROCS=2: $both" | cmp -s - "$dir/seen"

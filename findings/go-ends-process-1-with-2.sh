#!/bin/sh
# A Go program that is process 1 of a PID namespace ends with status 2 by SIGTERM, without a word.
#
# Elsewhere SIGTERM kills a Go program that has not asked for it: the runtime catches it, puts the default
# action back and sends it to itself, so that whoever waits sees the signal (a shell: 143). The default action
# of a signal does not end process 1 of a namespace. The runtime then gives up and exits with 2
# (dieFromSignal in runtime/signal_unix.go), which is also the status of a panic and of a wrong command line.
# A container whose Go program has no handler, or not yet, so seems to have crashed when it was stopped.
# SIGINT and SIGHUP do the same. A C program without a handler is not ended at all there.
#
# The program below sleeps. It needs go, and unshare(1) as root.
#
# Seen with Go 1.26.8 on Linux 6.18:
#   an ordinary process: 143
#   process 1: 2
set -eu
[ "$(id -u)" = 0 ] || { echo "this needs root, to make a PID namespace" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
cat >"$dir/main.go" <<'GO'
package main

import (
	"fmt"
	"time"
)

func main() {
	fmt.Println("ready")
	time.Sleep(time.Minute)
}
GO
(cd "$dir" && GO111MODULE=off go build -o sleeper main.go)
mkfifo "$dir/out"

# ends WHAT FIND COMMAND... starts a command, ends its Go program by SIGTERM and prints the status. FIND prints
# the pid of that program, given that of the command.
ends() {
	what=$1 find=$2
	shift 2
	"$@" >"$dir/out" &
	command=$!
	read -r _ <"$dir/out"
	kill -TERM "$($find "$command")"
	status=0
	wait "$command" || status=$?
	echo "$what: $status"
}
child() { cat "/proc/$1/task/$1/children"; }
{
	ends "an ordinary process" echo "$dir/sleeper"
	ends "process 1" child unshare --pid --fork --kill-child "$dir/sleeper"
} 2>/dev/null | tee "$dir/seen"
printf '%s\n' 'an ordinary process: 143' 'process 1: 2' | cmp -s - "$dir/seen"

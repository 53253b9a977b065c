#!/bin/sh
# Shows in a few seconds how a command leaves daemons behind without cginit, and none with it. Needs
# only a shell and /proc. usage: demo.sh CGINIT
set -eu
cginit=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '  $ %s\n' "$*"; }

# left lists the processes of the demo that still run. Each has the mark $1 in its environment.
left() {
	grep -lF "CGDEMO=$1" /proc/[0-9]*/environ 2>/dev/null | while read -r file; do
		p=${file%/environ}
		[ -d "$p" ] && printf '  %s  %s\n' "${p#/proc/}" "$(tr '\0' ' ' <"$p/cmdline")"
	done 2>/dev/null || true
}

# until_ waits, for at most 10 seconds, until a command succeeds.
until_() { for _ in $(seq 100); do "$@" && return; sleep 0.1; done; return 1; }

# started succeeds once leaky.sh has written its file and all four processes have executed sleep.
started() { [ -s "$tmp/$1" ] && [ "$(left "$$.$1" | grep -c ' sleep 100[1-4]')" = 4 ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

say "1. A command that leaves processes behind (examples/demo/leaky.sh)"
echo "  It starts a child that ignores SIGTERM, one in a session of its own, and a daemon."
run "leaky.sh & kill \$!"
CGDEMO=$$.plain sh "$here/leaky.sh" "$tmp/plain" &
pid=$!
until_ started plain
kill "$pid"
until_ gone "$pid" || true
wait "$pid" 2>/dev/null || true
say "   It has ended. These have not:"
left "$$.plain"
for p in $(left "$$.plain" | awk '{print $1}'); do kill -KILL "$p" 2>/dev/null || true; done

say "2. The same under cginit, stopped the same way"
hold=""
if ! "$cginit" --require cgroup -- true 2>/dev/null; then
	echo "  There is no writable cgroup here, so cginit runs as process 1 of a PID namespace, as in a"
	echo "  container. There it kills the whole job with kill(-1)."
	hold="unshare --user --map-root-user --pid --fork --kill-child --mount-proc"
	if ! $hold true 2>/dev/null; then
		echo "  This user may not make namespaces either, so cginit has only its weakest containment, tree."
		hold=""
	fi
fi
run "cginit --stop-grace-period 1s --report receipt.json -- leaky.sh & kill \$!"
# A stop is a SIGTERM to cginit. Below unshare, cginit is the child of $pid, and not $pid itself.
CGDEMO=$$.held $hold "$cginit" --stop-grace-period 1s --report "$tmp/receipt.json" -- \
	sh "$here/leaky.sh" "$tmp/held" &
pid=$!
until_ started held
say "   Running now:"
left "$$.held" | grep -v guardian
if [ -n "$hold" ]; then
	target=$(cat /proc/"$pid"/task/"$pid"/children | awk '{print $1}')
else
	target=$pid
fi
say "   Stopping. What cginit says:"
kill "$target"
wait "$pid" || true

say "3. The proof: the processes that are left"
if [ -n "$(left "$$.held")" ]; then
	left "$$.held"
	echo "  Processes are left, which is a bug in cginit. Please report it."
	exit 1
fi
echo "  nothing"

say "4. The receipt, for programs (--report FILE)"
sed 's/,"\(asked\|processes\|phases_ms\|containment\)/,\n   "\1/g; s/^/  /' "$tmp/receipt.json"

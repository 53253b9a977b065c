#!/bin/sh
# The story in a few seconds: a command that leaves daemons behind, first without cginit, then
# with it. Needs nothing but a shell and /proc. usage: demo.sh CGINIT
set -eu
cginit=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '  $ %s\n' "$*"; }

# left lists what still runs of the demo: every process of it has this mark in its environment.
left() {
	grep -lF "CGDEMO=$1" /proc/[0-9]*/environ 2>/dev/null | while read -r file; do
		p=${file%/environ}
		[ -d "$p" ] && printf '  %s  %s\n' "${p#/proc/}" "$(tr '\0' ' ' <"$p/cmdline")"
	done 2>/dev/null || true
}

# until waits for a condition that a moment brings.
until_() { for _ in $(seq 100); do "$@" && return; sleep 0.1; done; return 1; }

# started: leaky.sh has done its part, and each of the four has become what it is to be.
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
	echo "  There is no cgroup that we may write here, so it runs as process 1 of a PID namespace,"
	echo "  as in a container: there the kernel's kill(-1) does it."
	hold="unshare --user --map-root-user --pid --fork --kill-child --mount-proc"
	if ! $hold true 2>/dev/null; then
		echo "  Nor may we make namespaces: the containment is the weakest, a subreaper's."
		hold=""
	fi
fi
run "cginit --stop-grace-period 1s --report receipt.json -- leaky.sh & kill \$!"
# A stop is a SIGTERM to cginit; below unshare it is cginit that must get it, by its number there.
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

say "3. The proof: what is left of it"
if [ -n "$(left "$$.held")" ]; then
	left "$$.held"
	echo "  That should not be. Please report it."
	exit 1
fi
echo "  nothing"

say "4. The receipt, for programs (--report FILE)"
sed 's/,"\(asked\|processes\|phases_ms\|containment\)/,\n   "\1/g; s/^/  /' "$tmp/receipt.json"

#!/bin/sh
# Prints how long a holder takes to end 400 lines of processes that fork and exit as fast as they can.
# The holder gets no more of the CPU than each of them: it runs in a cgroup of the cpu controller,
# without CAP_SYS_NICE, as in a default container. Needs root. usage: bomb.sh [RUNS]
set -eu
cd "$(dirname "$0")/../init/proctree"
dir=$(mktemp -d)
top=/sys/fs/cgroup/cpu
[ -d "$top" ] || top=/sys/fs/cgroup # cgroup v2: its cgroup.subtree_control must have cpu
mkdir "$top/cginit-bomb"
trap 'echo $$ >"$top/cgroup.procs"; rmdir "$top/cginit-bomb"; rm -r "$dir"' EXIT
go test -c -o "$dir/test" .
echo $$ >"$top/cginit-bomb/cgroup.procs"
for run in $(seq "${1:-20}"); do
	setpriv --bounding-set -sys_nice --inh-caps -sys_nice "$dir/test" -test.v -test.run 'TestBomb$' |
		sed -n "s/.*gone in \(.*\)/$run: \1/p"
done

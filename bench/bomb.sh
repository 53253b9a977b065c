#!/bin/sh
# How long a holder takes to end 400 lines of processes that fork and exit as fast as they can,
# where it has no more of the CPU than any of them: in a cgroup of the cpu controller, without
# CAP_SYS_NICE, as in a default container. Root. $1: how often.
set -eu
cd "$(dirname "$0")/../init/proctree"
dir=$(mktemp -d)
top=/sys/fs/cgroup/cpu
[ -d "$top" ] || top=/sys/fs/cgroup # cgroup v2: cpu has to be in its cgroup.subtree_control
mkdir "$top/cginit-bomb"
trap 'echo $$ >"$top/cgroup.procs"; rmdir "$top/cginit-bomb"; rm -r "$dir"' EXIT
go test -c -o "$dir/test" .
echo $$ >"$top/cginit-bomb/cgroup.procs"
for run in $(seq "${1:-20}"); do
	setpriv --bounding-set -sys_nice --inh-caps -sys_nice "$dir/test" -test.v -test.run 'TestBomb$' |
		sed -n "s/.*gone in \(.*\)/$run: \1/p"
done

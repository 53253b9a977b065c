#!/bin/sh
# Starts four processes that a kill of this script does not reach. It then writes "ready" to the file
# $1.
(trap '' TERM; exec sleep 1001) &
setsid sleep 1002 &
(setsid sh -c 'trap "" TERM HUP; sleep 1003 & exec sleep 1004' &)
echo ready >"$1"
while :; do sleep 0.1; done

#!/bin/sh
# Leaves four processes behind that a kill of this one does not reach. $1: a file that says
# when it has done so.
(trap '' TERM; exec sleep 1001) &
setsid sleep 1002 &
(setsid sh -c 'trap "" TERM HUP; sleep 1003 & exec sleep 1004' &)
echo ready >"$1"
while :; do sleep 0.1; done

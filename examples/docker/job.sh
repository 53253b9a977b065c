#!/bin/sh
# A job as they are: it works, and forgets what it has started.
sleep 600 &                           # a helper that goes when it is asked
(trap "" TERM; setsid sleep 900 &)    # a daemon that does not
sleep 1
echo "the work is done"

#!/bin/sh
# A typical job: it does its work and leaves two processes behind.
sleep 600 &                           # a helper that ends on SIGTERM
(trap "" TERM; setsid sleep 900 &)    # a daemon that ignores SIGTERM
sleep 1
echo "the work is done"

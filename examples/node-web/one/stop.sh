#!/bin/sh
# Runs before SIGTERM: /healthz fails from now on, and whoever sends requests here has time to notice.
: > "${TMPDIR:-/tmp}/draining"
echo "draining"
sleep 2

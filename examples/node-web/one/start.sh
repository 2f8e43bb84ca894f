#!/bin/sh
# exec: the application gets the signals itself.
exec node server.js

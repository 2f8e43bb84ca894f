#!/bin/sh
# Runs once per build, in a copy of the sources; what is in dist afterwards is the application.
set -eu
rm -rf classes dist
mkdir -p classes dist
javac -encoding UTF-8 --release 17 -d classes src/*.java
# A fixed time: the same sources give the same jar.
jar --create --file dist/app.jar --date=2026-01-01T00:00:00Z --main-class App -C classes .
echo "made dist/app.jar"

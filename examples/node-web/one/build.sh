#!/bin/sh
# Runs once per build, in a copy of the sources.
set -eu
echo "building with node $(node --version)"
for file in *.js; do
  node --check "$file"
done
echo "checked"

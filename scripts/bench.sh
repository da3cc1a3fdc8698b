#!/bin/sh
# bench.sh measures: Go's benchmarks, then the whole program under load, and
# rtpengine beside it if that is installed. Results go to out/bench. LOAD is
# given to the load generator, such as LOAD='-levels 10,100 -cores one'.
set -eu
cd "$(dirname "$0")/.."
PKGS=${PKGS:-./...}
sh scripts/need.sh go
echo "== go test -bench $PKGS"
go test -run '^$' -bench . -benchmem "$PKGS"
command -v rtpengine >/dev/null || echo "rtpengine is not installed: it is left out (Debian: apt-get install rtpengine-daemon)"
echo "== load"
mkdir -p bin out/bench
go build -o bin/crosspoint ./cmd/crosspoint
go build -o bin/loadgen ./cmd/loadgen
# shellcheck disable=SC2086 # LOAD is a list of arguments
exec bin/loadgen -crosspoint bin/crosspoint -out out/bench ${LOAD:-}

#!/bin/sh
# test.sh runs everything: the checks of check.sh, then every test with the race
# detector and with the real programs that the tests hold us against. Nothing
# is skipped: a program that is missing is installed, or the run fails.
set -eu
cd "$(dirname "$0")/.."
PKGS=${PKGS:-./...}

sh scripts/need.sh go gcc git sipp baresip sox minimodem multimon-ng vm
PKGS="$PKGS" sh scripts/check.sh

# What runs on real sockets, terminals and clocks comes last, so that the machine
# has time for its audio: it mostly waits, so two packages at once, and those
# that start whole programs alone.
all=$(go list $PKGS)
real='/(cmd/[^/]+|internal/softphone|gateway/linesim)$'
alone='/internal/interop$'
real_time=$(echo "$all" | grep -E "$real" || true)
whole_programs=$(echo "$all" | grep -E "$alone" || true)
fake_time=$(echo "$all" | grep -vE "$real" | grep -vE "$alone" || true)

export CROSSPOINT_REAL=1 CGO_ENABLED=1
failed=0
echo "== go test -race $PKGS"
[ -z "$fake_time" ] || go test -race -count=1 -timeout 15m $fake_time || failed=1
[ -z "$real_time" ] || go test -race -count=1 -timeout 15m -p 2 $real_time || failed=1
[ -z "$whole_programs" ] || go test -race -count=1 -timeout 15m $whole_programs || failed=1
exit $failed

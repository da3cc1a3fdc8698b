#!/bin/sh
# test.sh runs everything: the checks of check.sh, then every test with the race
# detector and with the real programs that the tests hold us against. Nothing
# is skipped: a program that is missing is installed, or the run fails.
set -eu
cd "$(dirname "$0")/.."
PKGS=${PKGS:-./...}

sh scripts/need.sh go gcc git sipp baresip sox minimodem multimon-ng vm spandsp.h
PKGS="$PKGS" sh scripts/check.sh

# Arithmetic on samples, done by whoever owns the samples: no goroutine, nothing
# shared. The race detector slows it tenfold. It looks at these packages in
# their own tests, and at everything but them elsewhere.
arithmetic="internal/dsp internal/sounds media/tone media/dtmf media/fsk media/echo media/g711 media/measure"
plain=""
for pkg in $arithmetic; do
	plain="$plain -gcflags=crosspoint/$pkg=-race=false"
done

# What runs on real sockets, terminals and clocks comes last, so that the machine
# has time for its audio: it mostly waits, so two packages at once, and those
# that start whole programs alone.
all=$(go list $PKGS)
real='/(cmd/[^/]+|internal/softphone|gateway/linesim)$'
alone='/internal/interop$'
real_time=$(echo "$all" | grep -E "$real" || true)
whole_programs=$(echo "$all" | grep -E "$alone" || true)
samples="/($(echo "$arithmetic" | tr ' ' '|'))\$"
fake_time=$(echo "$all" | grep -vE "$real" | grep -vE "$alone" | grep -vE "$samples" || true)
samples=$(echo "$all" | grep -E "$samples" || true)

export CROSSPOINT_REAL=1 CGO_ENABLED=1
failed=0
echo "== go test -race $PKGS"
[ -z "$samples" ] || go test -race -count=1 -timeout 15m $samples || failed=1
[ -z "$fake_time" ] || go test -race $plain -count=1 -timeout 15m $fake_time || failed=1
[ -z "$real_time" ] || go test -race $plain -count=1 -timeout 15m -p 2 $real_time || failed=1
[ -z "$whole_programs" ] || go test -race $plain -count=1 -timeout 15m $whole_programs || failed=1
exit $failed

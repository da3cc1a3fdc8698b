#!/bin/sh
# test.sh runs everything: the checks of check.sh, then every test with the race
# detector and with the real programs that the tests hold us against. Nothing
# is skipped: a program that is missing is installed, or the run fails.
set -eu
cd "$(dirname "$0")/.."
PKGS=${PKGS:-./...}

sh scripts/need.sh go gcc git sipp baresip sox minimodem multimon-ng
PKGS="$PKGS" sh scripts/check.sh

echo "== go test -race $PKGS"
CROSSPOINT_REAL=1 CGO_ENABLED=1 exec go test -race -count=1 -timeout 15m $PKGS

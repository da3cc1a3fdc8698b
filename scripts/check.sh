#!/bin/sh
# check.sh is what a change must pass before any test runs: gofmt, go vet and
# staticcheck, on $PKGS (all by default).
set -eu
cd "$(dirname "$0")/.."
PKGS=${PKGS:-./...}
sh scripts/need.sh go

echo "== gofmt"
unformatted=$(gofmt -l $(find . -name '*.go' -not -path './.git/*'))
if [ -n "$unformatted" ]; then
	echo "not formatted; run: gofmt -w" $unformatted >&2
	exit 1
fi
echo "== go vet $PKGS"
go vet $PKGS
echo "== staticcheck $PKGS"
go tool staticcheck $PKGS

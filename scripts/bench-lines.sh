#!/bin/sh
# bench-lines.sh measures what the exchange does with telephone lines side by
# side with spandsp and minimodem, then how long runs of simulated lines fare,
# and writes all of it to docs/line-report.md.
set -eu
cd "$(dirname "$0")/.."
REPORT=${REPORT:-docs/line-report.md}
sh scripts/need.sh go gcc spandsp.h minimodem

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -O2 -o "$work/spandsp" internal/witness/csrc/spandsp.c -lspandsp -lm
go build -o "$work/benchlines" ./internal/benchlines

echo "bench-lines: DTMF, echo and caller ID, side by side; some minutes"
"$work/benchlines" -spandsp "$work/spandsp" >"$work/tables"

echo "bench-lines: an hour of drifting clocks and ten minutes of 32 ports, in simulated time"
CROSSPOINT_LONG=1 go test ./gateway -count=1 -timeout 20m -run '^(TestDrift|TestBusyCard)$' -v >"$work/long" || {
	cat "$work/long" >&2
	exit 1
}
go test ./media/echo ./gateway -run '^$' -bench '^BenchmarkTick$' -benchmem >"$work/ticks"

{
	echo "# What the lines do, measured"
	echo
	echo "Made by \`make bench-lines\` on $(date -u +%Y-%m-%d), with $(go env GOVERSION),"
	echo "libspandsp $(dpkg-query -W -f '${Version}' libspandsp-dev), minimodem $(dpkg-query -W -f '${Version}' minimodem), on $(nproc) processors ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1))."
	echo "Every signal is made from a seed and goes through µ-law, as on a line; each"
	echo "program hears the same samples. Others used the machine meanwhile, which"
	echo "changes the times at the end, and nothing else."
	echo
	cat "$work/tables"
	echo "## Long runs"
	echo
	echo "An hour of a card whose clock is 200 ppm off, and ten minutes in which all 32"
	echo "ports of a card at 3 Mbaud talk, as the tests of the gateway tell it: they fail at"
	echo "a click, a lost tick or a late one. A sound without any pause is made up or cut"
	echo "by whole periods where the clocks ask for it."
	echo
	echo '```'
	sed -n 's/^ *long_test.go:[0-9]*: //p; s/^--- \(PASS: [^ ]*\) .*/\1/p' "$work/long"
	echo '```'
	echo
	echo "## One tick"
	echo
	echo "20 ms of one line: the echo canceller alone while we talk, and all that the"
	echo "gateway does while both ends talk and the filter is still at work on it. cpu-ns"
	echo "is processor time, without what others had of it."
	echo
	echo '```'
	grep '^Benchmark\|^pkg' "$work/ticks"
	echo '```'
} >"$REPORT"
echo "bench-lines: written to $REPORT"
grep '^Ours is worse' "$REPORT"

#!/bin/sh
# need.sh COMMAND… makes sure that each command, or header of C (NAME.h), is
# there: it installs the Debian package of a missing one, or says what to install
# and fails.
set -u

# package_of COMMAND prints the Debian package that brings it.
package_of() {
	case "$1" in
	gcc) echo "gcc libc6-dev" ;;
	sipp) echo sip-tester ;;
	baresip) echo baresip-core ;;
	vm) echo mgetty-voice ;;
	spandsp.h) echo libspandsp-dev ;;
	*) echo "$1" ;;
	esac
}

# The Go toolchain is too old in Debian's own archive to be installed from here.
need_go() {
	if ! command -v go >/dev/null 2>&1 && [ -x /usr/local/go/bin/go ]; then
		echo "need.sh: Go is in /usr/local/go/bin, which is not in PATH: export PATH=\$PATH:/usr/local/go/bin" >&2
		exit 1
	fi
	if ! command -v go >/dev/null 2>&1; then
		echo "need.sh: Go is missing: install Go 1.26 or later from https://go.dev/dl/ and put it into PATH" >&2
		exit 1
	fi
}

# here COMMAND tells whether it is there.
here() {
	case "$1" in
	*.h) ls "/usr/include/$1" "/usr/include/"*"/$1" 2>/dev/null | grep -q . ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

packages=""
missing=""
for command in "$@"; do
	if [ "$command" = go ]; then
		need_go
	elif ! here "$command"; then
		missing="$missing $command"
		packages="$packages $(package_of "$command")"
	fi
done
[ -n "$packages" ] || exit 0

manual="apt-get install$packages"
refuse() {
	echo "need.sh: missing:$missing; $1. Install them with: $manual" >&2
	exit 1
}

command -v apt-get >/dev/null 2>&1 || refuse "there is no apt-get here"
if [ "$(id -u)" = 0 ]; then
	root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	root="sudo -n"
else
	refuse "this user may not install packages"
fi

echo "need.sh: installing$packages"
export DEBIAN_FRONTEND=noninteractive
install() {
	# shellcheck disable=SC2086 # words are meant to split
	$root apt-get install -q -y --no-install-recommends $packages
}
if ! install; then
	$root apt-get update -q && install || refuse "apt-get failed, see above"
fi

for command in $missing; do
	here "$command" || refuse "$command is not there even after installing"
done

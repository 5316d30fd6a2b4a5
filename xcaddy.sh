#!/usr/bin/env bash
# Builds Caddy with the plugin from this checkout, and runs the example with it.
#
# Everything it makes lies below the checkout (./caddy and .cache/) or in Go's
# own folders (module cache, build cache).
set -euo pipefail

readonly xcaddy_version=v0.4.5
readonly module=github.com/dd99cb49/caddy-client-credentials
readonly caddy_module=github.com/caddyserver/caddy/v2

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
readonly root
readonly cache=$root/.cache
readonly tools=$cache/bin/xcaddy-$xcaddy_version
readonly binary=$root/caddy
readonly stamp=$cache/caddy.stamp

usage() {
	cat <<-EOF
		Usage:
		  ./xcaddy.sh build [--output FILE]   build Caddy with this plugin; FILE is ./caddy
		                                      beside this script where it is left out
		  ./xcaddy.sh run [FLAG...]           build where something changed, then run
		                                      Caddyfile.example; flags go to "caddy run"
		  ./xcaddy.sh --help                  show this text

		Environment:
		  CADDY_VERSION        Caddy's version, e.g. v2.11.9; default: the one in go.mod
		  DEMO_CLIENT_SECRET   the example's client secret; default: see Caddyfile.example
		  DEMO_STORAGE         where the example keeps its keys; default: .cache/demo

		Needs Go; the rest comes through Go's module proxy.
	EOF
}

say() { printf 'xcaddy.sh: %s\n' "$*" >&2; }

fail() {
	say "$@"
	exit 1
}

misuse() {
	say "$@"
	usage >&2
	exit 2
}

main() {
	case ${1-} in
	build) shift && build_command "$@" ;;
	run) shift && run_command "$@" ;;
	-h | --help | help) usage ;;
	'') misuse 'expected a command' ;;
	*) misuse "unknown command \"$1\"" ;;
	esac
}

build_command() {
	local output=$binary
	while [ $# -gt 0 ]; do
		case $1 in
		-h | --help) usage && return ;;
		--output=*) output=${1#--output=} && shift ;;
		--output | -o)
			[ $# -ge 2 ] || misuse "$1: expected a file name"
			output=$2 && shift 2
			;;
		*) misuse "build: unknown argument \"$1\"" ;;
		esac
	done
	[ -n "$output" ] || misuse '--output: expected a file name'
	output=$(absolute "$output")
	check_output "$output"
	set_up_go
	build "$output" always
	say "built $output"
}

run_command() {
	case ${1-} in
	-h | --help) usage && return ;;
	esac
	set_up_go
	is_fresh || build "$binary" if-stale
	export DEMO_STORAGE=${DEMO_STORAGE:-$cache/demo}
	exec "$binary" run --config "$root/Caddyfile.example" --adapter caddyfile "$@"
}

# absolute FILE prints it as seen from the folder of the caller.
absolute() {
	case $1 in
	/*) printf '%s' "$1" ;;
	*) printf '%s/%s' "$(pwd -P)" "${1#./}" ;;
	esac
}

# check_output asks for a place that the build can put a file at, before the
# long work. It keeps "--output /dev/null" from replacing the device.
check_output() {
	[ ! -d "$1" ] || fail "--output $1: expected a file, found a folder"
	[ ! -e "$1" ] || [ -f "$1" ] || fail "--output $1: expected a plain file"
	[ -d "$(dirname -- "$1")" ] || fail "--output $1: its folder does not exist"
}

# set_up_go finds Go, compares it with go.mod and sets what a build depends on.
set_up_go() {
	command -v go >/dev/null 2>&1 ||
		fail "Go is not installed (no \"go\" in PATH); this needs Go $(required_go) or newer: https://go.dev/dl/"

	# Asked from within the checkout: Go itself fetches the toolchain that
	# go.mod names, where GOTOOLCHAIN allows it.
	export GO111MODULE=on GOWORK=off
	go_version=$(cd -- "$root" && go env GOVERSION) || fail "this needs Go $(required_go) or newer; see above"
	is_at_least "$go_version" "$(required_go)" ||
		fail "Go is too old: found $go_version, go.mod needs $(required_go) or newer: https://go.dev/dl/"

	# xcaddy builds a module of its own, outside this one: a -mod or -modfile
	# that the caller set for other work would break it. No VCS stamp: it would
	# be that of the repository around the build, or an error where somebody else
	# owns the checkout. (Left empty, GOFLAGS would be what "go env -w" set.)
	GOFLAGS="-buildvcs=false $(cd -- "$root" && go env GOFLAGS |
		sed -E 's/(^|[[:space:]]+)--?(mod|modfile|buildvcs)(=[^[:space:]]*|[[:space:]]|$)/ /g; s/^ *| *$//g')"
	export GOFLAGS

	caddy_version=${CADDY_VERSION:-$(required_caddy)}
	[ -n "$caddy_version" ] || fail "go.mod names no version of $caddy_module"
}

required_go() { awk '$1 == "go" { print $2; exit }' "$root/go.mod"; }

required_caddy() {
	awk -v module="$caddy_module" '
		$1 == module { print $2; exit }
		$1 == "require" && $2 == module { print $3; exit }
	' "$root/go.mod"
}

# is_at_least HAVE NEED compares versions such as go1.26.8 and 1.26.
is_at_least() {
	awk -v have="$1" -v need="$2" 'BEGIN {
		sub(/^.*go/, "", have)
		split(have, h, "."); count = split(need, n, ".")
		for (i = 1; i <= count; i++)
			if (h[i] + 0 != n[i] + 0) exit h[i] + 0 < n[i] + 0
	}'
}

is_fresh() {
	[ -x "$binary" ] && [ -f "$stamp" ] && [ ! "$binary" -nt "$stamp" ] &&
		[ "$(cat -- "$stamp")" = "$(fingerprint)" ]
}

# fingerprint prints a hash of all that a build depends on.
fingerprint() {
	{
		printf '%s\n' "$caddy_version" "$go_version" "$xcaddy_version" "$GOFLAGS" "${CGO_ENABLED-}" "${XCADDY_RACE_DETECTOR-}"
		go env GOOS GOARCH GOARM GOAMD64 GOARM64 GOEXPERIMENT
		sources | LC_ALL=C sort -z | (cd -- "$root" && xargs -0 "${hash[@]}")
	} | "${hash[@]}" | cut -d ' ' -f 1
}

# sources prints what is compiled, each with a NUL behind it: Go files wherever
# they are, and any file beside the two packages' own, for go:embed.
sources() {
	printf '%s\0' go.mod go.sum xcaddy.sh
	(cd -- "$root" && find . \( -path './.*' -o -name testdata \) -prune -o \
		-type f ! -name '*_test.go' \( -name '*.go' -o -path './issuer/*' -o -path './caddymodule/*' \) -print0)
}

if command -v sha256sum >/dev/null 2>&1; then hash=(sha256sum); else hash=(shasum -a 256); fi
readonly hash

# build OUTPUT always|if-stale compiles, one build at a time in a checkout.
build() {
	mkdir -p -- "$cache"
	(
		if command -v flock >/dev/null 2>&1 && ! flock --nonblock 9; then
			say 'waiting for another build in this checkout'
			flock 9
		fi
		if [ "$2" = if-stale ] && is_fresh; then exit 0; fi

		rm -rf -- "$cache"/build.* # of builds that were killed
		work=$(mktemp -d "$cache/build.XXXXXX")
		trap 'rm -rf -- "$work"' EXIT
		install_xcaddy
		compile "$work" "$1"
	) 9>"$cache/lock"
}

install_xcaddy() {
	[ ! -x "$tools/xcaddy" ] || return 0
	say "installing xcaddy $xcaddy_version"
	env -u GOOS -u GOARCH GOBIN="$tools" CGO_ENABLED=0 \
		go install "github.com/caddyserver/xcaddy/cmd/xcaddy@$xcaddy_version" ||
		fail "xcaddy could not be installed; see above"
}

# compile WORK OUTPUT works in the folder WORK, where xcaddy, which leaves its own
# temporary folder behind when it fails, puts that too.
compile() {
	local work=$1 output=$2 before
	before=$(fingerprint)
	say "building Caddy $caddy_version with $module"
	(
		cd -- "$work"
		unset XCADDY_SKIP_BUILD XCADDY_SKIP_CLEANUP XCADDY_DEBUG XCADDY_SETCAP
		# The tags leave out what Caddy's own releases leave out.
		export XCADDY_GO_BUILD_FLAGS="-trimpath -ldflags='-w -s' -tags=nobadger,nomysql,nopgx"
		GOPROXY=$(no_such_module "$work/proxy" "$module/caddymodule"),$(go env GOPROXY)
		export GOPROXY TMPDIR=$work
		"$tools/xcaddy" build "$caddy_version" --output "$work/caddy" \
			--with "$module/caddymodule" --replace "$module=$root" >&2 9>&-
	) || fail "the build failed; see above"
	check_caddy_version "$work/caddy"

	# Replaced as a whole: a Caddy that runs from the old file goes on running.
	mv -f -- "$work/caddy" "$output"
	[ "$output" != "$binary" ] || printf '%s\n' "$before" >"$stamp"
}

# no_such_module FOLDER MODULE prints the url of a module proxy, a folder, that
# knows one thing: MODULE has no version. Go asks for a module of the plugin
# package's own path before it looks into the checkout. A proxy that refuses the
# question instead of saying "not found" would end the build, and one that knows
# such a module, which is nobody's, would have it built in place of this one.
no_such_module() {
	mkdir -p -- "$1/$2/@v"
	: >"$1/$2/@v/list"
	printf 'file:///'
	printf '%s' "${1#/}" | od -An -v -tx1 | tr -d '\n' | tr ' ' '%'
}

# check_caddy_version refuses a build in which another requirement, go.mod's for
# the most part, has raised Caddy's version above the one asked for.
check_caddy_version() {
	local built
	built=$(go version -m "$1" | awk -v module="$caddy_module" '$1 == "dep" && $2 == module { print $3 }')
	case $caddy_version in
	v[0-9]*.[0-9]*.[0-9]*)
		[ "$built" = "$caddy_version" ] ||
			fail "asked for Caddy $caddy_version, but go.mod needs at least $built (CADDY_VERSION)"
		;;
	esac
}

main "$@"

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Counts for the check-* scripts: named tests, named skips, pytest runs, one closing line.

passed=0 failed=0 skipped=0
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
IMMURE=${IMMURE:-$TOP/build/immure}

report() {
	echo "$1: $2"
	[[ $1 = ok ]] || printf '%s\n' "$3" | sed 's/^/    /'
}

# expect STATUS PATTERN NAME COMMAND...: the command's status and a line (extended regular expression) of its output.
expect() {
	local got output pattern=$2 status=$1 name=$3
	shift 3

	output=$("$@" 2>&1 </dev/null)
	got=$?
	if [[ $got = "$status" ]] && grep -qE -- "$pattern" <<<"$output"; then
		((passed++))
		report ok "$name"
	else
		((failed++))
		report 'not ok' "$name" "status $got, expected $status and a line like: $pattern"$'\n'"$output"
	fi
}

skip() {
	((skipped++))
	echo "skip: $1 ($2)"
}

count() {
	local number

	number=$(grep -oE "[0-9]+ $1" <<<"$2" | tail -n 1)
	echo "${number:-0 }" | cut -d ' ' -f 1
}

# add_pytest NAME COMMAND...: a pytest run whose last line is added to the counts; a run without one has failed.
add_pytest() {
	local name=$1 output status summary
	shift

	output=$("$@" 2>&1 </dev/null | tee >(cat >&2); exit "${PIPESTATUS[0]}")
	status=$?
	summary=$(grep -E '(passed|failed|skipped|error|deselected|no tests ran).* in [0-9.]+s' <<<"$output" | tail -n 1)
	((passed += $(count passed "$summary"), failed += $(count failed "$summary"), skipped += $(count skipped "$summary")))
	case $status in
	0) [[ -n $summary ]] || { ((failed++)); echo "not ok: $name: no summary"; } ;;
	1) ((failed += $(count error "$summary"))) ;;
	5) skip "$name" "no such test yet" ;;
	*) ((failed++)); echo "not ok: $name: pytest ended with $status" ;;
	esac
}

# live_tests NAME MARKER RUNNER...: tests/live inside a guest; the runner words come before the command.
live_tests() {
	local marker=$2 name="live tests, $1"
	shift 2

	if [[ ! -x $IMMURE ]]; then
		skip "$name" "$IMMURE is not built"
	elif [[ ! -d $TOP/tests/live ]]; then
		skip "$name" "no tests/live"
	else
		echo "== $name"
		add_pytest "$name" "$@" env IMMURE="$IMMURE" /usr/bin/python3 -m pytest -p no:cacheprovider --color=no -rs -q \
			-m "$marker" "$TOP/tests/live"
	fi
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed == 0))
	exit
}

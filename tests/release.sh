#!/usr/bin/env bash
#
# The program as it ships: hardened, without test hooks, and it says what it is.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0
failed=0
verdict() { # what, exit code
  if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "not ok: $1"
  fi
}

program=build/portress
readelf -h "$program" | grep -q 'Type:.*DYN'
verdict "position independent" $?
readelf -d "$program" | grep -q 'BIND_NOW\|Flags:.*NOW'
verdict "full RELRO" $?
readelf -lW "$program" | grep -q 'GNU_STACK.*RW '
verdict "no executable stack" $?
! readelf -lW "$program" | grep -E 'LOAD.*RWE'
verdict "nothing writable and executable" $?
readelf -sW "$program" | grep -q __stack_chk_fail
verdict "stack protector" $?
readelf -sW "$program" | grep -q '_chk@'
verdict "fortified" $?
! readelf -d "$program" | grep -qE 'RPATH|RUNPATH'
verdict "no library path inside" $?
! readelf -d "$program" | grep -qE 'libcurl|libpq|libmariadb|hiredis|libldap'
verdict "optional libraries are not linked" $?
! strings "$program" | grep -q PORTRESS_TEST_CONTROL
verdict "no test hooks" $?
"$program" version | grep -qi '^portress [0-9]'
verdict "says its version" $?
! "$program" version | grep -qi 'hook'
verdict "is no test build" $?
"$program" --help >/dev/null
verdict "helps" $?

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

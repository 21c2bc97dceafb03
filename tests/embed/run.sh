#!/usr/bin/env bash
#
# Installs the library into an empty folder and embeds it from there: shared and static, C and C++.
# Then looks at what it exports.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
verdict() { # what, exit code
  if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "not ok: $1"
  fi
}

DESTDIR="$work" meson install -C build --no-rebuild --quiet >/dev/null
pc=$(dirname "$(find "$work" -name portress.pc)")
lib=$(dirname "$(find "$work" -name libportress.a)")
export PKG_CONFIG_PATH="$pc" PKG_CONFIG_SYSROOT_DIR="$work"
read -ra shared < <(pkg-config --cflags --libs portress)
read -ra cflags < <(pkg-config --cflags portress)
read -ra needs < <(PKG_CONFIG_SYSROOT_DIR='' pkg-config --static --libs-only-l portress | sed 's/-lportress//')

gcc -std=c99 -Wall -Wextra -Wpedantic -Werror tests/embed/embed.c -o "$work/c" "${shared[@]}" &&
  LD_LIBRARY_PATH="$lib" "$work/c" "sqlite:$work/c.db"
verdict "shared, C99" $?
g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -x c++ tests/embed/embed.c -x none -o "$work/cxx" "${shared[@]}" &&
  LD_LIBRARY_PATH="$lib" "$work/cxx" "sqlite:$work/cxx.db"
verdict "shared, C++11" $?
gcc -std=c99 -Wall -Wextra -Wpedantic -Werror tests/embed/embed.c -o "$work/static" "${cflags[@]}" \
  "$lib/libportress.a" "${needs[@]}" && "$work/static" "sqlite:$work/static.db"
verdict "static, C99" $?

strangers=$(nm -D --defined-only "$lib/libportress.so" | awk '{print $3}' | grep -vE '^(pt_|PORTRESS_0)')
[ -z "$strangers" ]
verdict "shared exports only pt_*: $strangers" $?
strangers=$(nm -g --defined-only "$lib/libportress.a" | awk 'NF == 3 {print $3}' | grep -v '^pt_')
[ -z "$strangers" ]
verdict "static exports only pt_*: $strangers" $?

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

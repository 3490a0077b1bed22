#!/bin/sh
# The library as others use it: installed, found by pkg-config, linked shared and static; the
# example runs with both. Speaks TAP.
#
# usage: install.sh SOURCE_ROOT BUILD_ROOT
set -u

source=$1
build=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
status=0
number=0
echo "1..3"

# check NAME COMMAND...: one TAP line; what a failing command printed after it
check() {
    name=$1
    shift
    number=$((number + 1))
    if "$@" >"$work/output" 2>&1; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        sed 's/^/# /' "$work/output"
        status=1
    fi
}

install_library() {
    DESTDIR="$work/root" meson install --no-rebuild --quiet -C "$build" --tags devel,runtime &&
        pc=$(find "$work/root" -name signet.pc) && [ -n "$pc" ]
}

# use FLAG...: the example, built from what is installed alone, says that both texts are verified
use() {
    PKG_CONFIG_PATH=$(dirname "$(find "$work/root" -name signet.pc)")
    PKG_CONFIG_SYSROOT_DIR="$work/root"
    export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
    lib=$(dirname "$PKG_CONFIG_PATH")
    # shellcheck disable=SC2046
    gcc -std=c17 -Wall -Wextra -Werror "$source/examples/two_parties.c" -o "$work/example" \
        $(pkg-config --cflags signet) "$@" &&
        LD_LIBRARY_PATH=$lib "$work/example" >"$work/said" && [ "$(grep -c '^verified' "$work/said")" = 2 ]
}

use_shared() {
    # shellcheck disable=SC2046
    use $(shared_flags)
}

shared_flags() {
    PKG_CONFIG_PATH=$(dirname "$(find "$work/root" -name signet.pc)") \
        PKG_CONFIG_SYSROOT_DIR="$work/root" pkg-config --libs signet
}

use_static() {
    use "$(find "$work/root" -name libsignet.a)" -lcrypto -lcbor -lpthread
}

check "the library is installed with its headers and pkg-config file" install_library
check "a program uses the shared library by pkg-config" use_shared
check "a program uses the static library" use_static
exit $status

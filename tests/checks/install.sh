#!/bin/sh
# What `meson install` builds and installs, and the library as others use it: found by pkg-config,
# linked shared and static, from C and from C++. Speaks TAP.
#
# usage: install.sh SOURCE_ROOT BUILD_ROOT
set -u

source=$1
build=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
status=0
number=0
echo "1..5"

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

# The default target, which `meson install` builds, of a tree that nobody has told anything.
build_the_product_only() {
    meson setup "$work/fresh" "$source" >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
    ninja -C "$work/fresh" -t inputs all >"$work/inputs" &&
        grep -q '^server/signetd.p/main.c.o$' "$work/inputs" &&
        ! grep -E '^(tests|fuzz|bench|examples)/' "$work/inputs"
}

# What should be there, one path a line; libraries without the machine's name.
expected() {
    version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$source/meson.build")
    printf '%s\n' bin/signet bin/signetd lib/libsignet.a lib/libsignet.so \
        "lib/libsignet.so.${version%%.*}" "lib/libsignet.so.$version" lib/pkgconfig/signet.pc
    for header in "$source"/include/signet/*.h; do
        echo "include/signet/${header##*/}"
    done
    for page in "$source"/man/*.[1-9]; do
        echo "share/man/man${page##*.}/${page##*/}"
    done
}

install_the_product() {
    DESTDIR="$work/root" meson install --no-rebuild --quiet -C "$build" || return 1
    (cd "$work/root/usr/local" && find . ! -type d) |
        sed -E 's|^\./||; s|^lib/[^/]*-linux-[^/]*/|lib/|' | sort >"$work/found"
    expected | sort | diff - "$work/found"
}

# flags FLAG...: what pkg-config says of the installed library
flags() {
    PKG_CONFIG_PATH=$(dirname "$(find "$work/root" -name signet.pc)") \
        PKG_CONFIG_SYSROOT_DIR="$work/root" pkg-config "$@" signet
}

# run PROGRAM: with the installed library; what it says goes to $work/said
run() {
    LD_LIBRARY_PATH=$(dirname "$(find "$work/root" -name libsignet.so)") "$1" >"$work/said"
}

# use FLAG...: the example, built from what is installed alone, says that both texts are verified
use() {
    # shellcheck disable=SC2046
    gcc -std=c17 -Wall -Wextra -Werror "$source/examples/two_parties.c" -o "$work/example" \
        $(flags --cflags) "$@" &&
        run "$work/example" && [ "$(grep -c '^verified' "$work/said")" = 2 ]
}

use_shared() {
    # shellcheck disable=SC2046
    use $(flags --libs)
}

# What libsignet itself needs stays shared: its packages bring no static library.
use_static() {
    # shellcheck disable=SC2046
    use -L"$(dirname "$(find "$work/root" -name libsignet.a)")" -l:libsignet.a \
        $(pkg-config --libs libcrypto libcbor) -lpthread &&
        ! ldd "$work/example" | grep libsignet
}

# A C++ program that names every exported function, and does a little.
use_from_cpp() {
    nm -D --defined-only "$(find "$work/root" -name libsignet.so)" |
        sed -n 's/.* T \(signet_.*\)/EACH(\1)/p' >"$work/functions.inc"
    # shellcheck disable=SC2046
    g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -I"$work" "$source/tests/checks/installed.cpp" \
        -o "$work/program" $(flags --cflags --libs) &&
        run "$work/program" && flags --modversion | diff - "$work/said"
}

check "meson install builds what it installs, and nothing else" build_the_product_only
check "programs, library, headers and manual pages are installed" install_the_product
check "a program uses the shared library by pkg-config" use_shared
check "a program uses the static library" use_static
check "a C++ program uses the library by pkg-config" use_from_cpp
exit $status

#!/bin/sh
# Every header compiles alone, with gcc and with clang. Speaks TAP.
#
# usage: headers.sh ROOT [COMPILER FLAG...]      the flags: what the libraries' headers need
set -u

cd "$1" || exit 1
shift
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# The headers twice, so that a missing guard shows.
compile() {
    compiler=$1
    shift
    for header in $(cat "$work/headers"); do
        printf '#include "%s"\n#include "%s"\nint main(void)\n{\n    return 0;\n}\n' \
            "$PWD/$header" "$PWD/$header" |
            "$compiler" -std=c17 -fsyntax-only -D_GNU_SOURCE -Wall -Wextra -Werror \
                -Iinclude -Ilib -I. "$@" -x c - 2>"$work/error" && continue
        echo "# $header"
        sed 's/^/#   /' "$work/error"
    done >"$work/report"
}

find include lib ciphers io server engine agent term lab cli tests fuzz bench -name '*.h' 2>/dev/null |
    sort >"$work/headers"
echo "1..2"
number=0
status=0
for compiler in gcc clang; do
    number=$((number + 1))
    if ! command -v "$compiler" >/dev/null; then
        echo "ok $number - headers compile alone with $compiler # SKIP it is not installed"
        continue
    fi
    compile "$compiler" "$@"
    if [ ! -s "$work/report" ] && [ -s "$work/headers" ]; then
        echo "ok $number - headers compile alone with $compiler"
    else
        echo "not ok $number - headers compile alone with $compiler"
        cat "$work/report"
        status=1
    fi
done
exit $status

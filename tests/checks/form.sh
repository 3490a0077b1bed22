#!/bin/sh
# C and C++ files have the form that .clang-format gives them. Speaks TAP.
#
# usage: form.sh ROOT
set -u

cd "$1" || exit 1
# Another version would have another opinion.
case "$(clang-format --version 2>/dev/null)" in
*" version 14."*) ;;
*)
    echo "1..0 # SKIP clang-format 14 is not installed"
    exit 0
    ;;
esac
echo "1..1"
errors=$(find include lib ciphers io server engine agent term lab cli examples tests fuzz bench \
    -name '*.[ch]' -o -name '*.cpp' 2>/dev/null | sort | xargs clang-format --dry-run -Werror 2>&1)
if [ $? -eq 0 ]; then
    echo "ok 1 - clang-format would change nothing"
else
    echo "not ok 1 - clang-format would change nothing"
    echo "$errors" | sed -n 's/: error:.*//; s/^[a-z].*/# &/p'
    exit 1
fi

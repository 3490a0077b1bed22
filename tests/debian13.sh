#!/bin/bash
# Runs script/start and script/test in a bare root of Debian 13, on whatever Debian this is.
#
# usage: debian13.sh [long] [PART]...      the words of script/test
#
# build-debian13/bare.tar is what debootstrap makes: the packages without which there is no Debian.
# Every run unpacks it anew, puts the tracked files there as they are now, and the vectors
# ($SIGNET_VECTORS, or ../shared/vectors) beside them, and lets script/bootstrap install the rest;
# downloaded packages are kept for the next run. They come from where this machine's apt gets its
# own. All of it happens in namespaces of processes and of mounts: what is started or mounted there
# is gone at the end, however that comes. The root of a run that fails stays in build-debian13/root.
set -euo pipefail

cd "$(dirname "$0")/.."
release=trixie
folder=$PWD/build-debian13
root=$folder/root
source=/root/work/signet # inside the root

fail() {
    echo "debian13: $*" >&2
    exit 1
}

# ---- the bare root ----

# Where this machine's apt gets a suite of Debian's from; nothing where it does not know.
uri_of() { # SUITE
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' \
        'Origin: Debian' | sed -n "s/^$1 //p" | sort -u | sed -n 1p
}

# This machine's sources, with the other release's name, and how this machine reaches them.
configure_apt() { # ROOT MIRROR SECURITY
    [ -z "$2" ] || {
        echo "deb $2 $release main"
        echo "deb $2 $release-updates main"
        [ -z "$3" ] || echo "deb $3 $release-security main"
    } >"$1/etc/apt/sources.list"
    apt-config dump | sed -nE '/^Acquire::(https?::|Check-|Retries)/p' \
        >"$1/etc/apt/apt.conf.d/90host"
}

make_bare_root() {
    local new=$folder/new here mirror security include= http_proxy=
    here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    mirror=$(uri_of "$here")
    security=$(uri_of "$here-security")
    eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
    [ -z "$http_proxy" ] || export http_proxy
    case "$mirror" in
    https:*) include=--include=ca-certificates ;; # apt in the root comes no further without
    esac
    echo "debian13: making a bare root"
    rm -rf "$new"
    debootstrap --variant=minbase $include "$release" "$new" $mirror >"$folder/debootstrap.log" || {
        tail "$folder/debootstrap.log" >&2
        fail "debootstrap does not make a root"
    }
    configure_apt "$new" "$mirror" "$security"
    echo "127.0.0.1 localhost" >"$new/etc/hosts"
    rm -rf "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
    tar -C "$new" --numeric-owner --one-file-system -cf "$folder/bare.new" .
    rm -rf "$new"
    mv "$folder/bare.new" "$folder/bare.tar"
}

# ---- this run's ----

# As they are in the work tree; those that were deleted there are none.
tracked() {
    git -c "safe.directory=$PWD" ls-files -z | while IFS= read -r -d '' file; do
        [ ! -e "$file" ] && [ ! -L "$file" ] || printf '%s\0' "$file"
    done
}

fill_root() {
    local vectors=${SIGNET_VECTORS:-../shared/vectors}
    rm -rf "$root"
    mkdir -p "$root" "$folder/packages/partial"
    tar -C "$root" --numeric-owner -xf "$folder/bare.tar"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    mkdir -p "$root$source"
    tracked | tar -cf - --null -T - | tar -C "$root$source" --no-same-owner -xf -
    if [ -d "$vectors" ]; then
        mkdir -p "$root${source%/*}/shared"
        cp -RL "$vectors" "$root${source%/*}/shared/vectors"
    fi
}

mount_all() {
    mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
    mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$root/dev/shm"
    mount --bind "$folder/packages" "$root/var/cache/apt/archives"
}

# The first process of its namespace: when it ends, so does every other one there.
inside() { # WORD...
    [ -f "$folder/bare.tar" ] || make_bare_root
    fill_root
    mount_all
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        LANG=C.UTF-8 chroot "$root" /bin/sh -euc '
            cd "$1"
            shift
            script/start
            script/test "$@"' debian13 "$source" "$@" </dev/null 9>&-
}

# ---- outside ----

# Killed with unshare, which waits for it; the kernel sees to all that came of it.
end_namespace() {
    local first
    [ -n "$namespace" ] || return 0
    first=$(cat "/proc/$namespace/task/$namespace/children" 2>/dev/null || true)
    kill -KILL "$namespace" 2>/dev/null || true
    wait "$namespace" 2>/dev/null || true
    for _ in {1..100}; do
        [ -n "$first" ] && kill -0 $first 2>/dev/null || break
        sleep 0.1
    done
    namespace=
}

outside() { # WORD...
    local code=0
    [ "$(id -u)" -eq 0 ] || fail "only root can make a root folder and go into it"
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock -n 9 || fail "another run is using $folder"
    trap end_namespace EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    # In the background, so that a signal is heeded at once.
    unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
        tests/debian13.sh --inside "$@" </dev/null &
    namespace=$!
    wait "$namespace" || code=$?
    end_namespace
    [ "$code" -ne 0 ] || rm -rf "$root"
    exit "$code"
}

namespace=
if [ "${1:-}" = --inside ]; then
    shift
    inside "$@"
else
    outside "$@"
fi

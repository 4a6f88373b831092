# SPDX-License-Identifier: MIT
# What tools/test and tools/demo share (they source it): messages, missing packages, a build.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
processors=$(nproc 2>/dev/null || echo 2)

# say LINE...
say() {
    printf '%s\n' "$@"
}

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Packages that `need` found missing.
missing_packages=()

# need PACKAGE COMMAND...: notes the package unless the command succeeds.
need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing_packages+=("$package")
}

have() {
    command -v "$1"
}

# Runs apt-get as root, without a question.
as_root_apt_get() {
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! have sudo >/dev/null; then
            say "to install packages it needs root or sudo" >&2
            return 1
        fi
        sudo=(sudo)
    fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Installs what `need` noted. The lists of a bare machine are empty or old, so they are fetched if
# the first try fails. apt-get's words are shown only if the second one does. Answers whether all is
# there.
install_missing() {
    [ ${#missing_packages[@]} -eq 0 ] && return 0
    have apt-get >/dev/null || fail "please install: ${missing_packages[*]} (there is no apt-get here)"
    say "installing ${missing_packages[*]}"
    local install=(install -y --no-install-recommends "${missing_packages[@]}") output status=0
    if ! as_root_apt_get "${install[@]}" >/dev/null 2>&1; then
        output=$(as_root_apt_get update 2>&1 && as_root_apt_get "${install[@]}" 2>&1) || status=1
    fi
    [ $status -eq 0 ] || say "$output"
    missing_packages=()
    return $status
}

need_compiler_and_cmake() {
    need gcc have gcc
    need libc6-dev test -e /usr/include/stdio.h
    need cmake have cmake
    need make have make
}

# For typed messages; without it they are left out.
need_message_pack() {
    need libmsgpack-dev test -e /usr/include/msgpack.h
}

# npm's MessagePack below build/npm, for tests/interop: only where node and npm are already.
install_npm_message_pack() {
    local folder=$root/build/npm
    if [ -d "$folder/node_modules/@msgpack/msgpack" ] || ! have node >/dev/null || ! have npm >/dev/null; then
        return
    fi
    mkdir -p "$folder"
    timeout 120 npm install --silent --no-fund --no-audit --prefix "$folder" "@msgpack/msgpack@3" \
        >"$folder/install.log" 2>&1 || say "npm could not install @msgpack/msgpack; see $folder/install.log"
}

# build PRESET [cmake option...]: configures and builds below build/PRESET.
build() {
    local preset=$1
    shift
    (cd "$root" && cmake --preset "$preset" "$@" &&
        cmake --build --preset "$preset" --parallel "$processors")
}

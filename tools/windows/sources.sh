# SPDX-License-Identifier: MIT
# Fetches source packages from where this machine gets its binary ones (tools/windows/prepare sources
# it, after tools/setup.sh). The machine's own lists stay as they are: apt is told of others.
# shellcheck shell=bash

# The machine's lists of sources, of both formats, each entry turned into one of source packages.
# source_lists FOLDER: writes them there, as sources.list and sources.list.d/.
source_lists() {
    local lists=$1 file
    rm -rf "$lists" && mkdir -p "$lists/sources.list.d" || return 1
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$file" \
            >"$lists/sources.list.d/$(basename "$file" .list).list" || return 1
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        sed 's/^[Tt]ypes:.*/Types: deb-src/' "$file" \
            >"$lists/sources.list.d/$(basename "$file")" || return 1
    done
}

# fetch_sources FOLDER PACKAGE...: unpacks them in FOLDER/unpacked. apt keeps what it learns below
# FOLDER/apt, and so needs no root.
fetch_sources() {
    local folder=$1 apt=$1/apt
    shift
    need dpkg-dev have dpkg-source
    need xz-utils have xz
    install_missing || return 1
    source_lists "$apt/etc" || return 1
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" || return 1
    rm -rf "$folder/unpacked" && mkdir -p "$folder/unpacked" || return 1
    local options=(
        -o "Dir::Etc::sourcelist=/dev/null"
        -o "Dir::Etc::sourceparts=$apt/etc/sources.list.d"
        -o "Dir::State::lists=$apt/lists"
        -o "Dir::Cache=$apt/cache"
        -o "APT::Sandbox::User="
    )
    # Of the machine's sources some may have no source packages: then the others are enough.
    apt-get -qq "${options[@]}" update </dev/null
    (cd "$folder/unpacked" && apt-get -qq "${options[@]}" source "$@" </dev/null)
}

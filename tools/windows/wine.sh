# SPDX-License-Identifier: MIT
# How the scripts of this folder find Wine and set its environment (they source it).
# shellcheck shell=bash

# Debian's wine64 puts nothing on PATH: its programs lie beside the library, wherever that is.
# find_wine NAME: the path of wine64 or wineserver64; fails if there is none.
find_wine() {
    local path
    for path in "${THRONG_WINE_DIR:-}/$1" /usr/lib/wine/"$1" /usr/lib/*/wine/"$1" /opt/wine*/bin/"$1"; do
        if [ -x "$path" ]; then
            printf '%s\n' "$path"
            return 0
        fi
    done
    command -v "$1" || command -v "${1%64}"
}

# use_prefix FOLDER: Wine keeps its drives and its server there, unless WINEPREFIX names a place.
use_prefix() {
    export WINEPREFIX=${WINEPREFIX:-$1}
    # Without a debugger: as it takes the process over, a crash can end with status 0.
    export WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe,winedbg.exe="
    export WINEDEBUG=${WINEDEBUG:--all}
    # A test must not open windows, nor wait for a display that does not answer.
    unset DISPLAY WAYLAND_DISPLAY
}

# run_nothing: a program that ends at once, holding none of the caller's pipes.
run_nothing() {
    timeout 60 "$(find_wine wine64)" cmd /c exit 0 >>"$WINEPREFIX/boot.log" 2>&1 </dev/null
}

# boot_prefix: makes the prefix if there is none yet. Only one process does so, the others wait. What
# Wine leaves running must not hold its caller's pipes.
boot_prefix() {
    [ -e "$WINEPREFIX/booted" ] && return 0
    mkdir -p "$WINEPREFIX" || return 1
    local wine
    wine=$(find_wine wine64) || return 1
    (
        flock 9
        [ -e "$WINEPREFIX/booted" ] && exit 0
        timeout 120 "$wine" wineboot -i >"$WINEPREFIX/boot.log" 2>&1 </dev/null 9>&- &&
            run_nothing 9>&- && touch "$WINEPREFIX/booted"
    ) 9>"$WINEPREFIX.lock"
}

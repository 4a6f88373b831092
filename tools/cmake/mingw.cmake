# Toolchain file: for Windows with mingw-w64's gcc (x86-64), run under Wine. The preset `windows` uses
# it; tools/windows/prepare installs what it names and builds the libraries that the tests need.

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

# The variant by name: the plain name is whichever of the two Debian's alternatives chose. This one
# needs no winpthread.
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-win32)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

# Programs run alone: no DLL but the system's.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-static-libgcc")

# Where tools/windows/prepare puts the libraries.
set(THRONG_WINDOWS_DEPS ${CMAKE_CURRENT_LIST_DIR}/../../build/windows-deps CACHE PATH
    "What tools/windows/prepare built")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES THRONG_WINDOWS_DEPS)
set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32 ${THRONG_WINDOWS_DEPS}/stage)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Tests run through it: CTest puts it before a target's path. Wine's folder is the build's own.
set(THRONG_WINE_PREFIX ${CMAKE_BINARY_DIR}/wine)
set(CMAKE_CROSSCOMPILING_EMULATOR
    ${CMAKE_CURRENT_LIST_DIR}/../windows/wine-run --prefix ${THRONG_WINE_PREFIX})

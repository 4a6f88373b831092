# How every target of throng is compiled: throng_compile(TARGET) sets language, warnings, protections
# (ThrongHardening.cmake), sanitizers.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
# Only what a header marks THRONG_API leaves a shared library.
set(CMAKE_C_VISIBILITY_PRESET hidden)
# The common objects end in shared libraries too, and games link static ones into plug-ins.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo" FORCE)
endif()

# What every part needs of the system: definitions of a source, libraries of a program.
if(WIN32)
    # Windows 8: WaitOnAddress. And printf as C11 has it, instead of msvcrt's own.
    set(THRONG_SYSTEM_DEFINITIONS
        _WIN32_WINNT=0x0602 WINVER=0x0602 WIN32_LEAN_AND_MEAN __USE_MINGW_ANSI_STDIO=1)
    set(THRONG_SYSTEM_LIBRARIES ws2_32 synchronization bcrypt advapi32 ntdll)
else()
    find_package(Threads REQUIRED)
    set(THRONG_SYSTEM_DEFINITIONS _GNU_SOURCE)
    set(THRONG_SYSTEM_LIBRARIES Threads::Threads)
endif()

# gcc's link-time optimisation inlines across files: a fifth fewer instructions per message. "Fat"
# objects hold machine code as well, so that an installed static library serves every linker. The
# preset `release` turns it on.
option(THRONG_LTO "Link-time optimisation in release builds (gcc)" OFF)
if(THRONG_LTO AND CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU"
   AND NOT THRONG_SANITIZE AND NOT THRONG_COVERAGE)
    set(THRONG_LTO_FLAGS -flto=auto -ffat-lto-objects)
endif()

include(ThrongHardening)

function(throng_compile target)
    throng_harden(${target})
    target_compile_definitions(${target} PRIVATE ${THRONG_SYSTEM_DEFINITIONS})
    target_compile_options(${target} PRIVATE ${THRONG_LTO_FLAGS})
    target_link_options(${target} PRIVATE ${THRONG_LTO_FLAGS})
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2
        # mingw-w64's isfinite() and isnan() make a float of every double, in a branch that is not taken.
        $<$<BOOL:${WIN32}>:-Wno-float-conversion>
        $<$<BOOL:${THRONG_WARNINGS_AS_ERRORS}>:-Werror>)
    if(THRONG_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=${THRONG_SANITIZE}
                               -fno-omit-frame-pointer -fno-sanitize-recover=all)
        target_link_options(${target} PRIVATE -fsanitize=${THRONG_SANITIZE})
        # gcc warns that TSan does not model fences. Ours order wake-ups only (parker, port); what
        # a thread reads is published by the release of a ring, which TSan does see.
        if(THRONG_SANITIZE MATCHES "thread" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
            target_compile_options(${target} PRIVATE -Wno-tsan)
        endif()
    endif()
    if(THRONG_COVERAGE)
        # Atomic: counts of several threads, where one is lost, contradict each other, and gcov then
        # takes a branch for never taken.
        target_compile_options(${target} PRIVATE --coverage -O0 -fprofile-update=atomic)
        target_link_options(${target} PRIVATE --coverage)
    endif()
endfunction()

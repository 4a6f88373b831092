# What makes a bug harder to exploit: THRONG_HARDENING, and throng_harden(TARGET), which throng_compile
# calls. tests/hardening looks at what was built. Everything is PRIVATE: a program that links throng
# keeps its own flags.
#
#   Linux     FORTIFY_SOURCE (in optimised builds), stack protector, stack clash protection, indirect
#             branch tracking and shadow stack (x86-64) or their like (64-bit ARM), PIE, full RELRO,
#             no executable stack
#   Windows   ASLR with 64 bits, no executable data. (mingw-w64's stack protector is a library of its own,
#             libssp, that every user of a static throng would have to link.)
#
# Sanitizers see the same faults earlier, and FORTIFY_SOURCE hides calls from them: their builds go
# without.

include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
include(CheckPIESupported)

option(THRONG_HARDENING "Compile and link with the system's protections" ON)

# Appends each flag that the compiler knows to `list`. clang knows some without heeding them here, and
# says so in a warning.
function(throng_flags_that_work list)
    set(CMAKE_REQUIRED_FLAGS -Werror)
    foreach(flag IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "THRONG_HAS${flag}" known)
        check_c_compiler_flag(${flag} ${known})
        if(${known})
            list(APPEND ${list} ${flag})
        endif()
    endforeach()
    set(${list} "${${list}}" PARENT_SCOPE)
endfunction()

# Level 3 knows the sizes of memory from the heap too; an older compiler or C library warns that it
# makes 2 of it.
function(throng_fortify_level variable)
    set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -Werror")
    check_c_source_compiles("#include <stdio.h>
        int main(void) { return 0; }" THRONG_HAS_FORTIFY_3)
    set(${variable} 2 PARENT_SCOPE)
    if(THRONG_HAS_FORTIFY_3)
        set(${variable} 3 PARENT_SCOPE)
    endif()
endfunction()

set(THRONG_HARDENING_COMPILE "")
set(THRONG_HARDENING_LINK "")
if(NOT THRONG_HARDENING OR THRONG_SANITIZE OR THRONG_COVERAGE)
    set(THRONG_HARDENED FALSE)
elseif(WIN32)
    set(THRONG_HARDENED TRUE)
    set(THRONG_HARDENING_LINK
        -Wl,--dynamicbase -Wl,--nxcompat -Wl,--high-entropy-va)
else()
    set(THRONG_HARDENED TRUE)
    # Lets CMake link programs with -pie (CMAKE_POSITION_INDEPENDENT_CODE compiles them so).
    check_pie_supported(LANGUAGES C)
    throng_flags_that_work(THRONG_HARDENING_COMPILE
        -fstack-protector-strong -fstack-clash-protection)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
        throng_flags_that_work(THRONG_HARDENING_COMPILE -fcf-protection=full)
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
        throng_flags_that_work(THRONG_HARDENING_COMPILE -mbranch-protection=standard)
    endif()
    throng_fortify_level(level)
    # Without optimisation the C library only warns. Undefined first: some distributions' compilers
    # define it by themselves.
    set(optimised $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
    list(APPEND THRONG_HARDENING_COMPILE
         $<${optimised}:-U_FORTIFY_SOURCE> $<${optimised}:-D_FORTIFY_SOURCE=${level}>)
    set(THRONG_HARDENING_LINK -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

function(throng_harden target)
    target_compile_options(${target} PRIVATE ${THRONG_HARDENING_COMPILE})
    target_link_options(${target} PRIVATE ${THRONG_HARDENING_LINK})
endfunction()

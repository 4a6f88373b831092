# The servers that need a library of somebody else's: libuv, libevent, Asio (C++), liburing.
find_package(PkgConfig REQUIRED)

# throng_bench_peer(NAME MODULE [LIBRARIES target...]): servers/NAME.c, if pkg-config knows the
# module.
function(throng_bench_peer name module)
    cmake_parse_arguments(PEER "" "" "LIBRARIES" ${ARGN})
    pkg_check_modules(${module} QUIET IMPORTED_TARGET ${module})
    if(NOT ${module}_FOUND)
        message(STATUS "${module} not found: ${name} is left out")
        return()
    endif()
    throng_bench_program(${name} SOURCES servers/${name}.c
                         LIBRARIES bench_echo_server ${PEER_LIBRARIES} PkgConfig::${module})
    throng_compile(${name})
endfunction()

throng_bench_peer(bare_uring_echo liburing)
throng_bench_peer(bare_uring_accept liburing LIBRARIES bench_accept_threads)
throng_bench_peer(libuv_echo libuv)
throng_bench_peer(libevent_echo libevent_core)

throng_bench_peer(bare_uring_tick liburing LIBRARIES bench_tick)
throng_bench_peer(libuv_tick libuv LIBRARIES bench_tick)

enable_language(CXX)
find_path(ASIO_INCLUDE_DIR asio.hpp)
if(ASIO_INCLUDE_DIR)
    foreach(name asio_echo asio_tick)
        throng_bench_program(${name} SOURCES servers/${name}.cpp LIBRARIES bench_echo_server)
        target_include_directories(${name} SYSTEM PRIVATE ${ASIO_INCLUDE_DIR})
        target_compile_definitions(${name} PRIVATE ASIO_STANDALONE)
        # throng_compile() has warnings that only C knows.
        target_compile_features(${name} PRIVATE cxx_std_17)
        target_compile_options(${name} PRIVATE -Wall -Wextra -Wshadow -Wconversion ${THRONG_LTO_FLAGS})
        target_link_options(${name} PRIVATE ${THRONG_LTO_FLAGS})
        if(THRONG_SANITIZE)
            target_compile_options(${name} PRIVATE -fsanitize=${THRONG_SANITIZE})
            target_link_options(${name} PRIVATE -fsanitize=${THRONG_SANITIZE})
        endif()
    endforeach()
    target_link_libraries(asio_tick PRIVATE bench_tick)
else()
    message(STATUS "Asio not found: asio_echo and asio_tick are left out")
endif()

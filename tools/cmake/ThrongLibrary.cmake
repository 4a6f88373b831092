# What throng's three libraries have in common: throng_library(TARGET).
#
# Static build: libthrong-common.a, libthrong-server.a and libthrong-client.a; both ends link the
# first, so a program with both holds the common code once.
# Shared build: libthrong-server.so and libthrong-client.so each carry the common objects with
# hidden symbols, but for the few public functions, which both export.

# The kind of library that throng_common is.
if(BUILD_SHARED_LIBS)
    set(THRONG_COMMON_KIND OBJECT)
else()
    set(THRONG_COMMON_KIND STATIC)
endif()

set(THRONG_COMMON_DIR ${PROJECT_SOURCE_DIR}/common)

# Gives the target throng_NAME its public name throng::NAME, include directories, file name,
# version and, unless it is throng_common itself, the common code.
function(throng_library target)
    throng_compile(${target})
    string(REPLACE "throng_" "" name ${target})
    add_library(throng::${name} ALIAS ${target})
    set_target_properties(${target} PROPERTIES
        EXPORT_NAME ${name}
        OUTPUT_NAME throng-${name}
        VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR})
    target_compile_definitions(${target} PRIVATE THRONG_BUILDING)
    if(NOT BUILD_SHARED_LIBS)
        target_compile_definitions(${target} PUBLIC THRONG_STATIC)
    endif()
    target_include_directories(${target}
        PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
               $<BUILD_INTERFACE:${THRONG_COMMON_DIR}/include>
               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
        PRIVATE src ${THRONG_COMMON_DIR}/src)
    if(target STREQUAL "throng_common")
        target_link_libraries(${target} PUBLIC ${THRONG_SYSTEM_LIBRARIES})
    elseif(BUILD_SHARED_LIBS)
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:throng_common>)
        target_link_libraries(${target} PRIVATE ${THRONG_SYSTEM_LIBRARIES})
        # A library that lacks a symbol fails here and not in the program that loads it. (The
        # sanitizers' own symbols come with the program.)
        if(NOT THRONG_SANITIZE)
            target_link_options(${target} PRIVATE -Wl,-z,defs)
        endif()
    else()
        target_link_libraries(${target} PUBLIC throng_common)
    endif()
endfunction()

# Install rules: libraries, headers, programs, the CMake package (find_package(throng)) and the
# pkg-config files. Nothing that is installed names the prefix, so the tree may be moved.

include(CMakePackageConfigHelpers)

set(THRONG_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/throng)

# Makes a path from the installed folder `from` to the prefix, such as "../../.." for a/b/c.
function(throng_path_to_prefix from variable)
    file(RELATIVE_PATH path /prefix/${from} /prefix)
    string(REGEX REPLACE "/$" "" path ${path})
    set(${variable} ${path} PARENT_SCOPE)
endfunction()

# What a program has to link besides throng. pkg-config knows no targets, but the libraries' names.
if(WIN32)
    list(TRANSFORM THRONG_SYSTEM_LIBRARIES PREPEND "-l" OUTPUT_VARIABLE PC_SYSTEM_LIBS)
    list(JOIN PC_SYSTEM_LIBS " " PC_SYSTEM_LIBS)
else()
    set(PC_SYSTEM_LIBS "-pthread")
endif()

# Installs one end: its library, headers, exported target and pkg-config file.
function(throng_install_library name description requires)
    install(TARGETS throng_${name} EXPORT throng-${name}-targets
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
            RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(EXPORT throng-${name}-targets NAMESPACE throng:: DESTINATION ${THRONG_PACKAGE_DIR})
    set(PC_NAME ${name})
    set(PC_DESCRIPTION ${description})
    set(PC_REQUIRES ${requires})
    set(PC_CFLAGS "")
    set(PC_LIBS "")
    if(NOT BUILD_SHARED_LIBS)
        set(PC_CFLAGS " -DTHRONG_STATIC")
        set(PC_LIBS " ${PC_SYSTEM_LIBS}")
    endif()
    throng_path_to_prefix(${CMAKE_INSTALL_LIBDIR}/pkgconfig PC_UP)
    configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/throng.pc.in
                   ${PROJECT_BINARY_DIR}/throng-${name}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/throng-${name}.pc
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

set(installed_common "")
set(message_headers "")
if(NOT THRONG_HAS_MESSAGES)
    set(message_headers REGEX "/(message.*|pack|value)\\.h$" EXCLUDE)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/common/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        ${message_headers})
if(NOT BUILD_SHARED_LIBS)
    throng_install_library(common "What throng's server and client share" "")
    set(installed_common throng-common)
endif()
if(THRONG_BUILD_SERVER)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/server/include/
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${message_headers})
    throng_install_library(server "Multiplayer game and chat server framework: the server"
                           "${installed_common}")
endif()
if(THRONG_BUILD_CLIENT)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/client/include/
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${message_headers})
    throng_install_library(client "Multiplayer game and chat server framework: the client"
                           "${installed_common}")
endif()

if(THRONG_HAS_MESSAGES)
    throng_install_library(message "Typed messages over MessagePack for throng's two ends"
                           "${installed_common} ${THRONG_MSGPACK_MODULE}")
    install(FILES ${PROJECT_SOURCE_DIR}/tools/cmake/ThrongMsgpack.cmake
            DESTINATION ${THRONG_PACKAGE_DIR})
endif()

foreach(program throng-echo throng-stress)
    if(TARGET ${program})
        throng_path_to_prefix(${CMAKE_INSTALL_BINDIR} up)
        if(BUILD_SHARED_LIBS)
            # Not for static programs: room for it that is not used in the build folder would be filled
            # with colons, which the loader takes for the current folder.
            set_target_properties(${program} PROPERTIES
                INSTALL_RPATH "$ORIGIN/${up}/${CMAKE_INSTALL_LIBDIR}")
        endif()
        install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
endforeach()

configure_package_config_file(${PROJECT_SOURCE_DIR}/tools/cmake/throng-config.cmake.in
                              ${PROJECT_BINARY_DIR}/throng-config.cmake
                              INSTALL_DESTINATION ${THRONG_PACKAGE_DIR}
                              NO_SET_AND_CHECK_MACRO)
# Before 1.0 each minor version may break its users.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/throng-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/throng-config.cmake
              ${PROJECT_BINARY_DIR}/throng-config-version.cmake
        DESTINATION ${THRONG_PACKAGE_DIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

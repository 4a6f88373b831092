# Finds MessagePack-C and gives it one name, whatever its own is: the target throng::msgpack. Sets
# THRONG_MSGPACK_FOUND, and THRONG_MSGPACK_MODULE for pkg-config. Installed with the package, whose users need it as well.
#
# Its package is called msgpack-c from version 6 on, msgpack before (Debian 12 has 4.0), which is also what the C++ library
# calls itself in some: so its targets are looked at, and its header's folder.
if(NOT TARGET throng::msgpack)
    foreach(package msgpack-c msgpack)
        find_package(${package} CONFIG QUIET)
        foreach(target msgpack-c msgpackc)
            if(WIN32 AND TARGET ${target}-static)
                set(target ${target}-static) # programs bring no DLL
            endif()
            if(NOT TARGET throng::msgpack AND TARGET ${target})
                add_library(throng::msgpack INTERFACE IMPORTED)
                set_target_properties(throng::msgpack PROPERTIES
                    INTERFACE_LINK_LIBRARIES ${target})
                set(THRONG_MSGPACK_MODULE ${package})
            endif()
        endforeach()
    endforeach()
endif()
if(TARGET throng::msgpack)
    set(THRONG_MSGPACK_FOUND TRUE)
else()
    set(THRONG_MSGPACK_FOUND FALSE)
endif()

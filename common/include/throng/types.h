/* SPDX-License-Identifier: MIT
 * Types and macros that every public header of throng shares. */
#ifndef THRONG_TYPES_H
#define THRONG_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* THRONG_API marks what a shared library exports; everything else is hidden. Users of a static
 * build on Windows define THRONG_STATIC (the CMake and pkg-config files do). */
#if defined(_WIN32) && !defined(THRONG_STATIC)
#ifdef THRONG_BUILDING
#define THRONG_API __declspec(dllexport)
#else
#define THRONG_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define THRONG_API __attribute__((visibility("default")))
#else
#define THRONG_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A connection's name: unique for the life of the process, so a name kept too long never means
 * somebody else. 0 is never a connection. Compare `id`s; do not take them apart. */
typedef struct throng_conn {
    uint64_t id;
} throng_conn;

enum throng_address_family {
    THRONG_ADDRESS_NONE = 0,
    THRONG_ADDRESS_IPV4 = 4,
    THRONG_ADDRESS_IPV6 = 6,
};

/* An IP address and a TCP port, without any system header. */
struct throng_address {
    uint8_t family;    /* enum throng_address_family */
    uint8_t reserved;  /* 0 */
    uint16_t port;     /* host byte order */
    uint32_t scope_id; /* IPv6 link-local interface, else 0 */
    uint8_t bytes[16]; /* network byte order; IPv4 uses the first 4 */
};

/* Longest text of an address with its NUL: "tcp://[" + 45 + "%" + 10 + "]:65535". */
#define THRONG_ADDRESS_TEXT_SIZE 72

/* Writes "tcp://127.0.0.1:7000" or "tcp://[::1]:7000" into `text`, which must hold
 * THRONG_ADDRESS_TEXT_SIZE bytes. "tcp://?" for an empty address. Answers `text`. Any thread. */
THRONG_API char *throng_address_text(const struct throng_address *address, char *text);

#ifdef __cplusplus
}
#endif

#endif

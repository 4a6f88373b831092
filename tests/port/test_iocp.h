/* SPDX-License-Identifier: MIT
 * What the tests of the IOCP backend share: the errors that its system answers, and a port whose
 * calls have all been forgotten. */
#ifndef TEST_PORT_TEST_IOCP_H
#define TEST_PORT_TEST_IOCP_H

#include "fixture.h"
#include "system.windows.h"

/* NTSTATUS values, by which accepts end that were not successful. */
#define STATUS_CONNECTION_RESET_ (-1073741299L)    /* 0xC000020D */
#define STATUS_HOST_UNREACHABLE_ (-1073741251L)    /* 0xC000023D */
#define STATUS_IO_TIMEOUT_ (-1073741643L)          /* 0xC00000B5 */
#define STATUS_CONNECTION_ABORTED_ (-1073741247L)  /* 0xC0000241 */
#define STATUS_NO_RESOURCES_ (-1073741670L)        /* 0xC000009A */
#define STATUS_CANCELLED_ (-1073741536L)           /* 0xC0000120 */
#define STATUS_GRACEFUL_DISCONNECT_ (-1073741257L) /* 0xC0000237 */

/* Errors of calls. */
#define WSAEFAULT_ 10014
#define WSAEWOULDBLOCK_ 10035
#define WSAECONNRESET_ 10054
#define WSAENOBUFS_ 10055

/* No faults, nothing seen; `options` may be NULL for the defaults. */
static inline void iocp_open(struct fixture *fixture, const struct fixture_options *options)
{
    system_reset();
    system_seen.accepts_in_flight = 0;
    fixture_open(fixture, options);
}

#endif

/* SPDX-License-Identifier: MIT
 * The start of Winsock. At start, any thread. */
#include "os/winsock.windows.h"

#include <string.h>
#include <winsock2.h>

#include <windows.h>

#include "base/assert.h"
#include "os/socket.h"

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

/* Of the first start: written under `once`, which publishes it to all who come later. */
static int start_error;

static BOOL CALLBACK start_winsock(INIT_ONCE *start, void *parameter, void **context)
{
    WSADATA data;
    (void)start;
    (void)parameter;
    (void)context;
    int error = WSAStartup(MAKEWORD(2, 2), &data); /* answers the number itself */
    if (error == 0 && data.wVersion != MAKEWORD(2, 2)) {
        error = WSAVERNOTSUPPORTED;
    }
    start_error = error == 0 ? 0 : tg_error_from_system(error);
    return TRUE; /* done, well or badly: a system without Winsock does not grow one */
}

/* SIO_TCP_INITIAL_RTO and its argument; the headers are older. */
#define TCP_INITIAL_RTO _WSAIOW(IOC_VENDOR, 17)
struct initial_rto {
    USHORT round_trip_ms;
    UCHAR retransmissions;
};
#define ROUND_TRIP_UNSPECIFIED ((USHORT)-1)
#define RETRANSMISSIONS_NONE ((UCHAR)-2)

static bool is_loopback(const struct throng_address *address)
{
    static const uint8_t ipv6[16] = {[15] = 1};
    return address->family == THRONG_ADDRESS_IPV4 ? address->bytes[0] == 127
                                                  : memcmp(address->bytes, ipv6, 16) == 0;
}

void tg_winsock_expect_refusal(tg_socket sock, const struct throng_address *peer)
{
    struct initial_rto patience = {ROUND_TRIP_UNSPECIFIED, RETRANSMISSIONS_NONE};
    DWORD bytes;
    if (is_loopback(peer)) {
        (void)WSAIoctl((SOCKET)sock, TCP_INITIAL_RTO, &patience, sizeof patience, NULL, 0, &bytes,
                       NULL, NULL);
    }
}

int tg_winsock_start(void)
{
    BOOL done = InitOnceExecuteOnce(&once, start_winsock, NULL, NULL);
    TG_ENSURE(done);
    return start_error;
}

/* SPDX-License-Identifier: MIT
 * Listening on an endpoint. See listen.h. */
#include "listen.h"

#include <string.h>

int tg_listen_on(tg_socket *sock, const char *endpoint, struct tg_listen_options *options,
                 struct throng_address *bound)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port;
    int result = tg_endpoint_parse(endpoint, host, &port, NULL);
    if (result == 0) {
        result = tg_address_resolve(host, port, &options->address, 1);
    }
    if (result < 0) {
        return result;
    }
    result = tg_socket_listen(sock, options, bound);
    bool any_family = strcmp(host, "*") == 0;
    if (result == THRONG_EAFNOSUPPORT && any_family &&
        tg_address_parse_numeric("0.0.0.0", port, &options->address) == 0) {
        /* A system that has sockets of IPv6 and nothing behind them: "any" is any IPv4 address. */
        result = tg_socket_listen(sock, options, bound);
    }
    return result;
}

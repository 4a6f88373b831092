/* SPDX-License-Identifier: MIT
 * Asked by netlink (sock_diag(7)): the kernel looks for the port, where /proc/net/tcp would list
 * every socket of the machine. Any thread. */
#include "system_sockets.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
};

static bool ask(int sock, const struct throng_address *own, uint32_t state)
{
    struct request request;
    memset(&request, 0, sizeof(request));
    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.sdiag_family = AF_INET;
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_states = 1u << state;
    request.body.id.idiag_sport = htons(own->port);
    return send(sock, &request, sizeof(request), 0) == (ssize_t)sizeof(request);
}

/* One socket of the answer; whether it is one of those. */
static bool take(const struct inet_diag_msg *message, const struct throng_address *own,
                 uint16_t peer_port, struct system_socket *found)
{
    if (memcmp(message->id.idiag_src, own->bytes, 4) != 0 ||
        message->id.idiag_sport != htons(own->port)) {
        return false;
    }
    if (found != NULL && message->id.idiag_dport == htons(peer_port)) {
        *found = (struct system_socket){.peer_port = peer_port,
                                        .timer = message->idiag_timer,
                                        .due_ms = message->idiag_expires};
    }
    return true;
}

int system_sockets_count(const struct throng_address *own, uint32_t state, uint16_t peer_port,
                         struct system_socket *found)
{
    union {
        struct nlmsghdr header; /* for its alignment */
        char bytes[32768];
    } answer;
    int count = 0;
    bool done = false;
    int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (sock < 0 || !ask(sock, own, state)) {
        done = true;
        count = -1;
    }
    while (!done) {
        ssize_t size = recv(sock, &answer, sizeof(answer), 0);
        if (size <= 0) {
            count = -1;
            break;
        }
        unsigned rest = (unsigned)size;
        for (struct nlmsghdr *header = &answer.header; NLMSG_OK(header, rest) && !done;
             header = NLMSG_NEXT(header, rest)) {
            done = header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR;
            count = header->nlmsg_type == NLMSG_ERROR ? -1 : count;
            if (!done && take(NLMSG_DATA(header), own, peer_port, found)) {
                count++;
            }
        }
    }
    if (sock >= 0) {
        (void)close(sock);
    }
    return count;
}

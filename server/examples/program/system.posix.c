/* SPDX-License-Identifier: MIT
 * Requests to end on POSIX systems: SIGTERM and SIGINT. See system.h. */
#include "system.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

const char system_backends[] = "auto, io_uring, epoll";

static struct throng_server *serving;
static volatile sig_atomic_t requests;

void system_begin(void)
{
    /* Nothing comes between a program and its output. */
}

static void on_signal(int signal_number)
{
    (void)signal_number;
    requests++;
    throng_server_wake(serving);
}

void system_take_requests(struct throng_server *server)
{
    struct sigaction action;
    serving = server;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

int system_requests(void)
{
    return (int)requests;
}

void system_ignore_requests(void)
{
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    serving = NULL;
}

/* SPDX-License-Identifier: MIT
 * Requests to end on POSIX systems, SIGTERM, SIGINT and SIGHUP, and the standard descriptors. See
 * system.h. */
#include "system.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static struct throng_server *serving;
static volatile sig_atomic_t requests;

/* Where one of the three is closed, the next socket would get its number, and a log line would be
 * sent to a client. */
static void keep_standard_descriptors(void)
{
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
        /* open takes the lowest free number: this one. */
        if (fcntl(number, F_GETFD) < 0 && open("/dev/null", O_RDWR) != number) {
            _exit(1); /* nobody is there to hear why */
        }
    }
}

void system_begin(void)
{
    /* Whoever reads our log or our output may go away, which must not end the server. */
    (void)signal(SIGPIPE, SIG_IGN);
    keep_standard_descriptors();
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
    /* The terminal has gone. Unless somebody said that it may (nohup). */
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
        (void)sigaction(SIGHUP, &action, NULL);
    }
}

int system_requests(void)
{
    return (int)requests;
}

void system_ignore_requests(void)
{
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    serving = NULL;
}

uint64_t system_wall_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool system_random(void *bytes, size_t size)
{
    return getentropy(bytes, size) == 0;
}

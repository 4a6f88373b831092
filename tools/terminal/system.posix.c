/* SPDX-License-Identifier: MIT
 * See system.h. Signals are blocked except while ppoll waits, so that none comes between the look
 * at its flag and the wait. */
#include "system.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static sigset_t unblocked; /* the signals of while it waits */

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* A terminal that shows something else than UTF-8 is not known here. */
static void use_utf8(void)
{
    if (setlocale(LC_ALL, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    }
    (void)setlocale(LC_NUMERIC, "C");
}

bool system_begin(void)
{
    static const int requests[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t blocked;
    struct sigaction action = {0};
    use_utf8();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&blocked);
    /* ncurses handles it, and its next wget_wch says so. */
    (void)sigaddset(&blocked, SIGWINCH);
    action.sa_handler = on_signal;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct sigaction before = {0};
        (void)sigaddset(&blocked, requests[i]);
        (void)sigaction(requests[i], &action, &before);
        if (requests[i] == SIGHUP && before.sa_handler == SIG_IGN) {
            (void)sigaction(SIGHUP, &before, NULL); /* nohup: the terminal may go */
        }
    }
    if (sigprocmask(SIG_BLOCK, &blocked, &unblocked) != 0) {
        perror("sigprocmask");
        return false;
    }
    /* Whoever started us may have blocked them; then nobody could end us. */
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        (void)sigdelset(&unblocked, requests[i]);
    }
    (void)sigdelset(&unblocked, SIGWINCH);
    return true;
}

uint64_t system_now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t system_unix_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void system_time_of_day(int64_t unix_seconds, char text[9])
{
    struct tm parts = {0};
    time_t seconds = (time_t)unix_seconds;
    if (localtime_r(&seconds, &parts) == NULL || strftime(text, 9, "%H:%M:%S", &parts) != 8) {
        memcpy(text, "--:--:--", 9);
    }
}

uint64_t system_random(void)
{
    uint64_t number = 0;
    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number)) {
        number = system_now_ms() ^ (uint64_t)getpid() << 32; /* before the system has any */
    }
    return number;
}

bool system_input_is_terminal(void)
{
    return isatty(STDIN_FILENO) == 1;
}

bool system_output_is_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

unsigned system_wait(const struct system_wait *wait)
{
    struct pollfd files[2] = {{.fd = -1}, {.fd = -1}}; /* poll passes over negative ones */
    struct timespec limit = {.tv_sec = wait->timeout_ms / 1000,
                             .tv_nsec = (long)(wait->timeout_ms % 1000) * 1000000};
    unsigned ready = 0;
    if (wait->input) {
        files[0].fd = STDIN_FILENO;
        files[0].events = POLLIN;
    }
    if (wait->descriptor >= 0) {
        files[1].fd = (int)wait->descriptor;
        files[1].events = (short)((wait->read ? POLLIN : 0) | (wait->write ? POLLOUT : 0));
    }
    int count = interrupted ? 0 : ppoll(files, 2, wait->timeout_ms < 0 ? NULL : &limit, &unblocked);
    if (count > 0) {
        ready |= files[0].revents != 0 ? SYSTEM_INPUT : 0;
        ready |= files[1].revents != 0 ? SYSTEM_SOCKET : 0;
    }
    return ready | (interrupted ? SYSTEM_INTERRUPTED : 0);
}

bool system_interrupted(void)
{
    /* A request that came while nobody waited is pending. */
    struct system_wait now = {.descriptor = -1, .timeout_ms = 0};
    return (system_wait(&now) & SYSTEM_INTERRUPTED) != 0;
}

int system_read_input(char *data, size_t size)
{
    ssize_t count = read(STDIN_FILENO, data, size);
    if (count < 0) {
        /* A terminal that has gone (EIO) has ended. */
        return errno == EAGAIN || errno == EINTR ? -1 : 0;
    }
    return (int)count;
}

/* SPDX-License-Identifier: MIT
 * Start, signals and end of the bundled server programs. */
#include "program.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct throng_server *serving;
static volatile sig_atomic_t signals;

static void on_signal(int signal_number)
{
    (void)signal_number;
    signals++;
    throng_server_wake(serving);
}

static void log_to_stderr(void *context, enum throng_log_level level, const char *text)
{
    (void)context;
    fprintf(stderr, "%s: %s\n", throng_log_level_name(level), text);
}

static void catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

struct throng_server *program_start(const struct throng_server_options *options, int *status)
{
    struct throng_server_options with_log = *options;
    if (with_log.log == NULL) {
        with_log.log = log_to_stderr;
    }
    struct throng_error error;
    int result = throng_server_start(&serving, &with_log, &error);
    if (result < 0) {
        fprintf(stderr, "%s\n", error.text);
        *status = result == THRONG_EINVAL ? 2 : 1;
        return NULL;
    }
    catch_signals();
    struct throng_address address;
    for (uint32_t i = 0; throng_server_listen_address(serving, i, &address) == 0; i++) {
        char text[THRONG_ADDRESS_TEXT_SIZE];
        printf("listening on %s\n", throng_address_text(&address, text));
    }
    fflush(stdout);
    return serving;
}

int program_signalled(void)
{
    return (int)signals;
}

int program_finish(struct throng_server *server)
{
    struct throng_counters counters;
    throng_server_counters(server, &counters);
    fprintf(stderr,
            "served: accepted %" PRIu64 ", at once %" PRIu64 ", refused %" PRIu64
            ", messages in %" PRIu64 ", messages out %" PRIu64 ", writes refused %" PRIu64
            ", bytes dropped %" PRIu64 "\n",
            counters.accepted, counters.connections_peak, counters.refused,
            counters.messages_received, counters.messages_written, counters.writes_refused,
            counters.bytes_dropped);
    /* A late signal finds no server to wake. */
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    serving = NULL;
    throng_server_stop(server);
    return 0;
}

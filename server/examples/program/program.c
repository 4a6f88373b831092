/* SPDX-License-Identifier: MIT
 * Start and end of the bundled server programs. */
#include "program.h"

#include <inttypes.h>
#include <stdio.h>

#include "confine.h"
#include "system.h"

static void log_to_stderr(void *context, enum throng_log_level level, const char *text)
{
    (void)context;
    fprintf(stderr, "%s: %s\n", throng_log_level_name(level), text);
}

struct throng_server *program_start(const struct throng_server_options *options, int *status)
{
    struct throng_server_options with_log = *options;
    if (with_log.log == NULL) {
        with_log.log = log_to_stderr;
    }
    if (!confine_before_start()) {
        *status = 1;
        return NULL;
    }
    struct throng_error error;
    struct throng_server *server;
    int result = throng_server_start(&server, &with_log, &error);
    if (result < 0) {
        fprintf(stderr, "%s\n", error.text);
        *status = result == THRONG_EINVAL ? 2 : 1;
        return NULL;
    }
    if (!confine_after_start()) {
        throng_server_stop(server);
        *status = 1;
        return NULL;
    }
    system_take_requests(server);
    struct throng_address address;
    for (uint32_t i = 0; throng_server_listen_address(server, i, &address) == 0; i++) {
        char text[THRONG_ADDRESS_TEXT_SIZE];
        printf("listening on %s\n", throng_address_text(&address, text));
    }
    if (throng_server_admin_address(server, &address) == 0) {
        char text[THRONG_ADDRESS_TEXT_SIZE];
        printf("admin on %s\n", throng_address_text(&address, text));
    }
    fflush(stdout);
    return server;
}

uint64_t program_wall_ms(void)
{
    return system_wall_ms();
}

bool program_random(void *bytes, size_t size)
{
    return system_random(bytes, size);
}

int program_signalled(void)
{
    return system_requests();
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
    system_ignore_requests(); /* a late one would wake a server that is gone */
    throng_server_stop(server);
    return 0;
}

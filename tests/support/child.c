/* SPDX-License-Identifier: MIT
 * What a child process says: lines, addresses, everything up to its end. */
#include "child.h"

#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "stopwatch.h"

#define LOOK_MS 5 /* at one pipe, while the other one may fill */

bool child_read_line(const struct child *child, char *line, size_t size, int limit_ms)
{
    int64_t deadline_ms = test_now_ms() + limit_ms;
    size_t length = 0;
    while (length + 1 < size) {
        int64_t left_ms = deadline_ms - test_now_ms();
        if (left_ms <= 0 || child_read(child, false, line + length, 1, (int)left_ms) != 1) {
            return false;
        }
        if (line[length] == '\n') {
            line[length] = '\0';
            return true;
        }
        length++;
    }
    return false;
}

bool child_read_address(const struct child *child, struct throng_address *address, int limit_ms)
{
    static const char prefix[] = "listening on tcp://";
    char line[128];
    memset(address, 0, sizeof(*address));
    if (!child_read_line(child, line, sizeof(line), limit_ms) ||
        strncmp(line, prefix, sizeof(prefix) - 1) != 0) {
        return false;
    }
    char *host = line + sizeof(prefix) - 1;
    char *colon = strrchr(host, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    address->port = (uint16_t)strtoul(colon + 1, NULL, 10);
    if (host[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        host++;
    }
    return peer_read_host(address, host);
}

/* Takes what a pipe has; false at its end. `text` may be NULL; it stays NUL-terminated. */
static bool take_output(const struct child *child, bool from_err, char *text, size_t size,
                        size_t *length)
{
    char bytes[1024];
    ptrdiff_t got = child_read(child, from_err, bytes, sizeof(bytes), LOOK_MS);
    if (got > 0 && text != NULL) {
        size_t room = size - 1 - *length;
        size_t part = (size_t)got < room ? (size_t)got : room;
        memcpy(text + *length, bytes, part);
        *length += part;
        text[*length] = '\0';
    }
    return got >= 0;
}

bool child_await_end(struct child *child, char *out, char *err, size_t size, int limit_ms)
{
    char *texts[2] = {out, err};
    size_t lengths[2] = {0, 0};
    bool is_open[2] = {true, true}; /* the pipes end when the child does */
    int64_t deadline_ms = test_now_ms() + limit_ms;
    for (int i = 0; i < 2; i++) {
        if (texts[i] != NULL) {
            texts[i][0] = '\0';
        }
    }
    while (is_open[0] || is_open[1]) {
        if (test_now_ms() >= deadline_ms) {
            return false;
        }
        for (int i = 0; i < 2; i++) {
            is_open[i] = is_open[i] && take_output(child, i == 1, texts[i], size, &lengths[i]);
        }
    }
    int64_t left_ms = deadline_ms - test_now_ms();
    return child_await_exit(child, left_ms > 0 ? (int)left_ms : 0);
}

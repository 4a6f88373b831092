/* SPDX-License-Identifier: MIT
 * See report.h. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

struct line {
    char *text;
    size_t used;
};

static void add(struct line *line, const char *before, const char *name, uint64_t value)
{
    int added = snprintf(line->text + line->used, REPORT_BYTES - line->used, "%s\"%s\": %" PRIu64,
                         before, name, value);
    line->used += added > 0 && (size_t)added < REPORT_BYTES - line->used ? (size_t)added : 0;
}

static void add_counters(struct line *line, const struct throng_server *server)
{
    struct throng_counters counters;
    throng_server_counters(server, &counters);
    const char *before = "{";
#define ADD_COUNTER(name, text)                                                                    \
    add(line, before, #name, counters.name);                                                       \
    before = ", ";
    THRONG_COUNTER_MAP(ADD_COUNTER)
#undef ADD_COUNTER
}

static void add_reasons(struct line *line, const struct throng_server *server)
{
    const char *before = ", \"closed_by\": {";
#define ADD_REASON(name, text)                                                                     \
    add(line, before, #name, throng_server_closed_count(server, THRONG_CLOSE_##name));             \
    before = ", ";
    THRONG_CLOSE_REASON_MAP(ADD_REASON)
#undef ADD_REASON
}

static void add_game(struct line *line, const struct game_numbers *numbers)
{
    const struct {
        const char *name;
        const _Atomic uint64_t *value;
    } table[] = {
        {"opened", &numbers->opened},       {"ended", &numbers->ended},
        {"strange", &numbers->strange},     {"members", &numbers->members},
        {"rounds", &numbers->rounds},       {"owed", &numbers->owed},
        {"delivered", &numbers->delivered}, {"refused", &numbers->refused},
        {"held", &numbers->held},           {"kicked", &numbers->kicked},
        {"writable", &numbers->writable},   {"publish_us", &numbers->publish_us},
    };
    const char *before = "}, \"game\": {";
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        add(line, before, table[i].name,
            atomic_load_explicit(table[i].value, memory_order_relaxed));
        before = ", ";
    }
}

size_t report_write(char text[REPORT_BYTES], const struct throng_server *server,
                    const struct game_numbers *numbers)
{
    struct line line = {.text = text};
    add_counters(&line, server);
    add_reasons(&line, server);
    add_game(&line, numbers);
    text[line.used++] = '}'; /* `add` leaves room for its own final zero */
    text[line.used++] = '}';
    return line.used;
}

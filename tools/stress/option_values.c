/* SPDX-License-Identifier: MIT
 * See option_values.h. */
#include "option_values.h"

#include <inttypes.h>
#include <stdarg.h>

#define SECONDS_MAX 86400

bool options_complain(struct options_reader *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* clang-tidy 14 does not see va_start: NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    (void)vsnprintf(reader->complaint, OPTIONS_COMPLAINT_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

/* Decimal digits up to `*end`, nothing above `most`. */
bool options_parse_whole(const char *text, const char **end, uint64_t most, uint64_t *number)
{
    uint64_t sum = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (digit > most || sum > (most - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *end = at;
    *number = sum;
    return at != text;
}

bool options_read_whole(struct options_reader *reader, const char *name, const char *value,
                        uint64_t least, uint64_t most, uint64_t *number)
{
    const char *end;
    if (!options_parse_whole(value, &end, most, number) || *end != '\0' || *number < least) {
        return options_complain(
            reader, "--%s is \"%.40s\"; it must be a whole number, %" PRIu64 "..%" PRIu64, name,
            value, least, most);
    }
    return true;
}

/* Seconds with up to 9 decimals, as nanoseconds. */
static bool parse_seconds(const char *text, uint64_t *ns)
{
    const char *at;
    uint64_t whole;
    if (!options_parse_whole(text, &at, SECONDS_MAX, &whole)) {
        return false;
    }
    *ns = whole * UINT64_C(1000000000);
    if (*at == '.') {
        uint64_t unit = 100000000;
        for (at++; *at >= '0' && *at <= '9' && unit > 0; at++, unit /= 10) {
            *ns += (uint64_t)(*at - '0') * unit;
        }
    }
    return *at == '\0' && *ns <= SECONDS_MAX * UINT64_C(1000000000);
}

bool options_read_seconds(struct options_reader *reader, const char *name, const char *value,
                          uint64_t least_ns, uint64_t *ns)
{
    if (!parse_seconds(value, ns) || *ns < least_ns) {
        return options_complain(reader, "--%s is \"%.40s\"; it must be seconds, %s..%d", name,
                                value, least_ns == 0 ? "0" : "0.001", SECONDS_MAX);
    }
    return true;
}

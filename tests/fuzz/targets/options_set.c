/* SPDX-License-Identifier: MIT
 * throng_server_options_set: any name, any value, one after the other. What the public header
 * allows is in the field afterwards, and nothing else has changed; what it does not is refused, and
 * nothing has.
 *
 *   lines until the end: "name=value", or a byte below 64, which is an option's number, and "value" */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "options_rules.h"
#include "os/socket.h"

/* What an option may be. Numbers have no words but `word`, choices no range. */
struct rule {
    const char *name;
    size_t offset;
    size_t size;
    uint64_t least;
    uint64_t most;
    const char *word;
    const char *choices[3];
};

#define NUMBER_RULE(field, fallback, least, most, word)                                            \
    {#field,                                                                                       \
     offsetof(struct throng_server_options, field),                                                \
     sizeof(((struct throng_server_options *)NULL)->field),                                        \
     least,                                                                                        \
     most,                                                                                         \
     word,                                                                                         \
     {NULL}},
#define CHOICE_RULE(field, first, second, third)                                                   \
    {#field,                                                                                       \
     offsetof(struct throng_server_options, field),                                                \
     sizeof(((struct throng_server_options *)NULL)->field),                                        \
     0,                                                                                            \
     0,                                                                                            \
     NULL,                                                                                         \
     {first, second, third}},

static const struct rule rules[] = {FUZZ_NUMBERS(NUMBER_RULE) FUZZ_OPEN_NUMBERS(NUMBER_RULE)
                                        FUZZ_CHOICES(CHOICE_RULE)};

#define RULES (sizeof(rules) / sizeof(rules[0]))

/* `text` with underscores, as far as they count: one line of the input is no longer. */
static const char *plain(const char *text, char memory[FUZZ_TEXT_MAX + 1])
{
    size_t size = strlen(text);
    for (size_t i = 0; i <= size; i++) {
        memory[i] = text[i] == '-' ? '_' : text[i];
    }
    return memory;
}

static const struct rule *find_rule(const char *name)
{
    for (size_t i = 0; i < RULES; i++) {
        size_t len = strcspn(rules[i].name, "[");
        if (strlen(name) == len && strncmp(name, rules[i].name, len) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

/* Whether the rule allows this text, and the number that it is. */
static bool is_allowed(const struct rule *rule, const char *value, uint64_t *number)
{
    char memory[FUZZ_TEXT_MAX + 1];
    for (uint64_t i = 0; i < 3 && rule->choices[0] != NULL; i++) {
        if (strcmp(plain(value, memory), rule->choices[i]) == 0) {
            *number = i;
            return true;
        }
    }
    if (rule->choices[0] != NULL) {
        return false;
    }
    if (rule->word != NULL && strcmp(value, rule->word) == 0) {
        *number = UINT32_MAX;
        return true;
    }
    size_t digits = strspn(value, "0123456789");
    if (digits == 0 || value[digits] != '\0') {
        return false;
    }
    value += strspn(value, "0");
    *number = strtoull(value, NULL, 10); /* UINT64_MAX if it is more */
    return fuzz_is_in(*number, rule->least, rule->most);
}

static void check_error(const struct throng_error *error)
{
    FUZZ_CHECK(error->code == THRONG_EINVAL && error->text[0] != '\0');
    FUZZ_CHECK(memchr(error->text, '\0', sizeof(error->text)) != NULL);
}

/* The field as a number: it was set everywhere, and `before` gets it, too. */
static void check_number(const struct rule *rule, const struct throng_server_options *options,
                         struct throng_server_options *before, uint64_t number)
{
    bool is_heartbeat = strncmp(rule->name, "heartbeat_ms", 12) == 0;
    size_t offset = is_heartbeat ? offsetof(struct throng_server_options, heartbeat_ms)
                                 : rule->offset;
    for (size_t i = 0; i < (is_heartbeat ? THRONG_LISTENERS_MAX : 1); i++) {
        uint64_t found = 0;
        const char *place = (const char *)options + offset + i * rule->size;
        memcpy(&found, place, rule->size); /* little-endian, as every system that fuzzes */
        FUZZ_CHECK(found == number);
        memcpy((char *)before + offset + i * rule->size, place, rule->size);
    }
}

/* `listen`, `admin` and `backend`, which keep the text. */
static bool check_text(const char *name, const char *value, struct throng_server_options *before)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port;
    uint32_t next = 0;
    if (strcmp(name, "backend") == 0) {
        before->backend = value;
        return strcmp(value, "auto") == 0 || strcmp(value, "epoll") == 0 ||
               strcmp(value, "io_uring") == 0;
    }
    if (strcmp(name, "admin") == 0) {
        before->admin = strcmp(value, "off") == 0 ? NULL : value;
        return before->admin == NULL || tg_endpoint_parse(value, host, &port, NULL) == 0;
    }
    while (next < THRONG_LISTENERS_MAX && before->listen[next] != NULL) {
        next++;
    }
    if (strcmp(name, "listen") != 0 || next == THRONG_LISTENERS_MAX ||
        tg_endpoint_parse(value, host, &port, NULL) < 0) {
        return false;
    }
    before->listen[next] = value;
    return true;
}

/* Every byte, so that a write anywhere is seen; the padding is as throng_server_options_init left
 * it. */
static bool is_same(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct throng_server_options)) == 0;
}

static void check_line(struct throng_server_options *options, const char *name, const char *value)
{
    char memory[FUZZ_TEXT_MAX + 1];
    struct throng_error error;
    uint64_t number;
    struct throng_server_options before;
    struct throng_server_options after;
    memcpy(&before, options, sizeof(before));
    memcpy(&after, options, sizeof(after));
    const struct rule *rule = find_rule(plain(name, memory));
    error.text[sizeof(error.text) - 1] = '?';
    int result = throng_server_options_set(options, name, value, &error);
    if (result == 0) {
        if (rule != NULL) {
            FUZZ_CHECK(is_allowed(rule, value, &number));
            check_number(rule, options, &after, number);
        } else {
            FUZZ_CHECK(check_text(plain(name, memory), value, &after));
        }
        FUZZ_CHECK(is_same(options, &after));
        return;
    }
    FUZZ_CHECK(result == THRONG_EINVAL);
    FUZZ_CHECK(rule != NULL ? !is_allowed(rule, value, &number)
                            : !check_text(plain(name, memory), value, &after));
    FUZZ_CHECK(is_same(options, &before));
    check_error(&error);
}

/* A name of a few bytes: an option's number, and the rest of the line is the value. */
static const char *name_of(char *line, char **value)
{
    static struct throng_option_info info;
    if (line[0] > 0 && line[0] < 64 &&
        throng_server_option_info((uint32_t)line[0] - 1, &info) == 0) {
        *value = line + 1;
        return info.name;
    }
    *value = line + strcspn(line, "=");
    if (**value == '=') {
        *(*value)++ = '\0';
    }
    return line;
}

void fuzz_option_text(struct fuzz_script *script)
{
    static char text[FUZZ_TEXT_MAX + 1];
    struct throng_server_options options;
    const uint8_t *bytes;
    size_t size = fuzz_bytes(script, FUZZ_TEXT_MAX, &bytes);
    /* At the end of its memory, so that a sanitizer sees a look behind the NUL. */
    char *line = text + FUZZ_TEXT_MAX - size;
    memcpy(line, bytes, size);
    text[FUZZ_TEXT_MAX] = '\0';
    throng_server_options_init(&options);
    while (line < text + FUZZ_TEXT_MAX) {
        char *end = line + strcspn(line, "\n");
        char *next = end < text + FUZZ_TEXT_MAX ? end + 1 : end;
        char *value;
        *end = '\0';
        const char *name = name_of(line, &value);
        check_line(&options, name, value);
        line = next;
    }
}

/* SPDX-License-Identifier: MIT
 * One option from text, as a command line or a config file has it. Any thread. */
#include <inttypes.h>
#include <string.h>

#include "base/failure.h"
#include "config.h"
#include "option_table.h"

/* Longest part of a caller's text that an error repeats. */
#define SHOWN "100"

/* An attempt to set an option, with the words of the caller for the error. */
struct attempt {
    struct throng_server_options *options;
    const struct tg_option *option;
    const char *name; /* as the caller writes it */
    const char *value;
    struct throng_error *error;
};

static bool is_same(char a, char b)
{
    return a == b || (a == '-' && b == '_');
}

/* Whether `text` is `word`, which has `len` bytes; it may have '-' for '_'. */
static bool is_word(const char *text, const char *word, size_t len)
{
    size_t at = 0;
    while (at < len && text[at] != '\0' && is_same(text[at], word[at])) {
        at++;
    }
    return at == len && text[at] == '\0';
}

static const struct tg_option *find_option(const char *name)
{
    for (uint32_t i = 0; i < TG_OPTION_COUNT; i++) {
        if (is_word(name, tg_options[i].name, strlen(tg_options[i].name))) {
            return &tg_options[i];
        }
    }
    return NULL;
}

/* Digits and nothing else. What has more than 64 bits is as good as UINT64_MAX, which no range
 * has. */
static bool read_digits(const char *text, uint64_t *number)
{
    uint64_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    *number = value;
    return true;
}

static int put_everywhere(const struct attempt *attempt, uint64_t value)
{
    for (uint32_t i = 0; i < attempt->option->count; i++) {
        tg_option_put(attempt->option, attempt->options, i, value);
    }
    return 0;
}

static int set_number(const struct attempt *attempt)
{
    const struct tg_option *option = attempt->option;
    const char *word = tg_option_word(option);
    uint64_t value;
    if (word != NULL && strcmp(attempt->value, word) == 0) {
        return put_everywhere(attempt, UINT32_MAX);
    }
    if (read_digits(attempt->value, &value) && value >= option->least && value <= option->most) {
        return put_everywhere(attempt, value);
    }
    return tg_failure(attempt->error, THRONG_EINVAL,
                      "%." SHOWN "s is \"%." SHOWN "s\"; it must be a whole number, %" PRIu64
                      "..%" PRIu64 " %s%s%s",
                      attempt->name, attempt->value, option->least, option->most, option->unit,
                      word != NULL ? ", or " : "", word != NULL ? word : "");
}

static int set_choice(const struct attempt *attempt)
{
    const char *word = attempt->option->unit;
    for (uint64_t choice = 0; choice <= attempt->option->most; choice++) {
        size_t len = strcspn(word, " ");
        if (is_word(attempt->value, word, len)) {
            return put_everywhere(attempt, choice);
        }
        word += len + strspn(word + len, " |");
    }
    return tg_failure(attempt->error, THRONG_EINVAL,
                      "%." SHOWN "s is \"%." SHOWN "s\"; it must be %s", attempt->name,
                      attempt->value, attempt->option->unit);
}

static int check_endpoint(const struct attempt *attempt)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port;
    struct throng_error why;
    int result = tg_endpoint_parse(attempt->value, host, &port, &why);
    if (result < 0) {
        return tg_failure(attempt->error, result, "%." SHOWN "s: %s", attempt->name, why.text);
    }
    return 0;
}

static int set_endpoint(const struct attempt *attempt)
{
    if (strcmp(attempt->value, "off") == 0) {
        attempt->options->admin = NULL; /* the only one of its kind */
        return 0;
    }
    int result = check_endpoint(attempt);
    if (result == 0) {
        attempt->options->admin = attempt->value;
    }
    return result;
}

static int set_listen(const struct attempt *attempt)
{
    uint32_t next = 0;
    int result = check_endpoint(attempt);
    if (result < 0) {
        return result;
    }
    while (next < THRONG_LISTENERS_MAX && attempt->options->listen[next] != NULL) {
        next++;
    }
    if (next == THRONG_LISTENERS_MAX) {
        return tg_failure(attempt->error, THRONG_EINVAL,
                          "%." SHOWN "s is \"%." SHOWN "s\"; it must be given %d times at most",
                          attempt->name, attempt->value, THRONG_LISTENERS_MAX);
    }
    attempt->options->listen[next] = attempt->value;
    return 0;
}

/* Whether the system allows it is a question for the start. */
static int set_backend(const struct attempt *attempt)
{
    if (strcmp(attempt->value, "auto") == 0 || tg_port_backend_find(attempt->value) != NULL) {
        attempt->options->backend = attempt->value;
        return 0;
    }
    return tg_failure(attempt->error, THRONG_EINVAL,
                      "%." SHOWN "s is \"%." SHOWN "s\"; this build has auto, %s", attempt->name,
                      attempt->value, tg_port_backend_names());
}

/* A program compiled against an older header has a shorter struct, without the newer options. */
static bool has_field(const struct throng_server_options *options, const struct tg_option *option)
{
    return options->struct_size <= sizeof(*options) &&
           option->offset + option->size * option->count <= options->struct_size;
}

int throng_server_options_set(struct throng_server_options *options, const char *name,
                              const char *value, struct throng_error *error)
{
    if (options == NULL || name == NULL || value == NULL) {
        return tg_failure(error, THRONG_EINVAL,
                          "options, name or value is NULL; all three are needed");
    }
    struct attempt attempt = {options, find_option(name), name, value, error};
    if (attempt.option == NULL) {
        return tg_failure(error, THRONG_EINVAL, "unknown option \"%." SHOWN "s\"", name);
    }
    if (!has_field(options, attempt.option)) {
        return tg_failure(error, THRONG_EINVAL,
                          "struct_size is %zu, which has no room for %s; call "
                          "throng_server_options_init of this library's header",
                          options->struct_size, attempt.option->name);
    }
    switch (attempt.option->kind) {
    case TG_OPTION_LISTEN:
        return set_listen(&attempt);
    case TG_OPTION_ENDPOINT:
        return set_endpoint(&attempt);
    case TG_OPTION_BACKEND:
        return set_backend(&attempt);
    case TG_OPTION_CHOICE:
        return set_choice(&attempt);
    default:
        return set_number(&attempt);
    }
}

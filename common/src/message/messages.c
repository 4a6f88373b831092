/* SPDX-License-Identifier: MIT
 * Making and looking at a table of types. See throng/message.h; one thread at a time. */
#include "message/messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "message/decoder.h"
#include "message/fault.h"

#define TYPES_MOST 65536u

void throng_messages_options_init(struct throng_messages_options *options)
{
    *options = (struct throng_messages_options){.struct_size = sizeof *options};
}

/* ---- checks ---- */

static int check_policy(const char *name, enum throng_when_bad policy, struct throng_error *error)
{
    if ((uint32_t)policy <= THRONG_WHEN_BAD_CLOSE) {
        return 0;
    }
    return tg_failure(error, THRONG_EINVAL, "%s is %d; it must be 0..%d", name, (int)policy,
                      (int)THRONG_WHEN_BAD_CLOSE);
}

static int check_type(const struct throng_message_type *type, size_t index,
                      const struct throng_message_limits *most, struct throng_error *error)
{
    if (type->type == THRONG_MESSAGE_TYPE_ERROR) {
        return tg_failure(error, THRONG_EINVAL, "types[%zu] is 0, which is throng's own", index);
    }
    if (type->handler == NULL) {
        return tg_failure(error, THRONG_EINVAL, "types[%zu] (%u) has no handler", index,
                          type->type);
    }
    if (type->bytes_max > most->bytes_max) {
        return tg_failure(error, THRONG_EINVAL,
                          "types[%zu].bytes_max is %u; limits.bytes_max is %u", index,
                          type->bytes_max, most->bytes_max);
    }
    if (type->nodes_max > most->nodes_max) {
        return tg_failure(error, THRONG_EINVAL,
                          "types[%zu].nodes_max is %u; limits.nodes_max is %u", index,
                          type->nodes_max, most->nodes_max);
    }
    if (type->depth_max > most->depth_max) {
        return tg_failure(error, THRONG_EINVAL,
                          "types[%zu].depth_max is %u; limits.depth_max is %u", index,
                          type->depth_max, most->depth_max);
    }
    return 0;
}

/* Fills the defaults of the limits in. */
static int check_options(struct throng_messages_options *options, struct throng_error *error)
{
    if (options->type_count > TYPES_MOST) {
        return tg_failure(error, THRONG_EINVAL, "type_count is %zu; at most %u",
                          options->type_count, TYPES_MOST);
    }
    if (options->types == NULL && options->type_count > 0) {
        return tg_failure(error, THRONG_EINVAL, "types is NULL, type_count %zu",
                          options->type_count);
    }
    if (options->requests_max > TG_REQUESTS_MOST) {
        return tg_failure(error, THRONG_EINVAL, "requests_max is %u; at most %u",
                          options->requests_max, TG_REQUESTS_MOST);
    }
    int result = check_policy("on_unknown", options->on_unknown, error);
    if (result == 0) {
        result = check_policy("on_bad", options->on_bad, error);
    }
    if (result == 0 && !tg_message_limits_fill(&options->limits, error)) {
        result = THRONG_EINVAL;
    }
    for (size_t i = 0; i < options->type_count && result == 0; i++) {
        result = check_type(&options->types[i], i, &options->limits, error);
    }
    return result;
}

/* ---- the table ---- */

static int compare_types(const void *left, const void *right)
{
    const uint32_t a = ((const struct tg_message_type *)left)->type;
    const uint32_t b = ((const struct tg_message_type *)right)->type;
    return a < b ? -1 : a > b;
}

static struct tg_message_type row_of(const struct throng_message_type *type,
                                     const struct throng_message_limits *limits)
{
    struct tg_message_type row = {type->type, type->name, type->handler, *limits};
    if (type->bytes_max > 0) {
        row.limits.bytes_max = type->bytes_max;
    }
    if (type->nodes_max > 0) {
        row.limits.nodes_max = type->nodes_max;
    }
    if (type->depth_max > 0) {
        row.limits.depth_max = type->depth_max;
    }
    return row;
}

static int fill_table(struct throng_messages *messages, struct throng_error *error)
{
    const struct throng_messages_options *options = &messages->options;
    for (size_t i = 0; i < options->type_count; i++) {
        messages->types[i] = row_of(&options->types[i], &options->limits);
    }
    if (options->type_count > 0) {
        qsort(messages->types, options->type_count, sizeof *messages->types, compare_types);
    }
    for (size_t i = 1; i < options->type_count; i++) {
        if (messages->types[i].type == messages->types[i - 1].type) {
            return tg_failure(error, THRONG_EINVAL, "type %u is there twice",
                              messages->types[i].type);
        }
    }
    return 0;
}

const struct tg_message_type *tg_messages_find(const struct throng_messages *messages,
                                               uint32_t type)
{
    size_t from = 0;
    size_t to = messages->options.type_count;
    if (to == 0) {
        return NULL;
    }
    /* Most tables count their types up without a gap. */
    const size_t guess = (size_t)(type - messages->types[0].type);
    if (type >= messages->types[0].type && guess < to && messages->types[guess].type == type) {
        return &messages->types[guess];
    }
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const struct tg_message_type *row = &messages->types[middle];
        if (row->type == type) {
            return row;
        }
        if (row->type < type) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return NULL;
}

/* ---- life ---- */

/* The struct, the types, the requests, in one piece of memory. */
static struct throng_messages *reserve(const struct throng_messages_options *options)
{
    const size_t types_bytes = options->type_count * sizeof(struct tg_message_type);
    const size_t bytes = sizeof(struct throng_messages) + types_bytes +
                         tg_requests_bytes(options->requests_max);
    struct throng_messages *messages = calloc(1, bytes);
    if (messages != NULL) {
        messages->options = *options;
        messages->types = (struct tg_message_type *)(void *)(messages + 1);
        tg_requests_init(&messages->requests, messages->types + options->type_count,
                         options->requests_max);
    }
    return messages;
}

int throng_messages_create(struct throng_messages **messages,
                           const struct throng_messages_options *options,
                           struct throng_error *error)
{
    struct throng_messages_options checked = {0};
    if (messages == NULL || options == NULL || options->struct_size < sizeof(size_t) ||
        options->struct_size > sizeof checked) {
        return tg_failure(error, THRONG_EINVAL,
                          "no place for the answer, or options without "
                          "throng_messages_options_init of this library");
    }
    memcpy(&checked, options, options->struct_size);
    int result = check_options(&checked, error);
    if (result < 0) {
        return result;
    }
    struct throng_messages *made = reserve(&checked);
    if (made == NULL) {
        return tg_failure(error, THRONG_ENOMEM, "no memory for requests_max %u",
                          checked.requests_max);
    }
    result = fill_table(made, error);
    if (result == 0) {
        result = throng_decoder_create(&made->decoder, &checked.limits, error);
    }
    if (result < 0) {
        throng_messages_destroy(made);
        return result;
    }
    made->options.types = NULL; /* the caller's, copied */
    *messages = made;
    return 0;
}

void throng_messages_destroy(struct throng_messages *messages)
{
    if (messages != NULL) {
        throng_decoder_destroy(messages->decoder);
        free(messages);
    }
}

/* ---- looking at it ---- */

const struct throng_message_fault *throng_messages_fault(const struct throng_messages *messages)
{
    return &messages->fault;
}

const char *throng_messages_type_name(const struct throng_messages *messages, uint32_t type)
{
    const struct tg_message_type *row = tg_messages_find(messages, type);
    return row == NULL ? NULL : row->name;
}

void throng_messages_read_counters(const struct throng_messages *messages,
                                   struct throng_messages_counters *counters)
{
    *counters = messages->counters;
    counters->requests_now = messages->requests.count;
}

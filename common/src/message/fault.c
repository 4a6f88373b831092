/* SPDX-License-Identifier: MIT
 * What can be wrong with a message, as codes and as sentences. See fault.h. */
#include "message/fault.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/failure.h"

static int code_of(enum throng_message_fault_kind kind)
{
    switch (kind) {
    case THRONG_FAULT_NONE:
        return 0;
    case THRONG_FAULT_BYTES:
    case THRONG_FAULT_DEPTH:
    case THRONG_FAULT_NODES:
    case THRONG_FAULT_STRING_BYTES:
    case THRONG_FAULT_KEY_BYTES:
        return THRONG_ETOOBIG;
    default:
        return THRONG_EPROTOCOL;
    }
}

int tg_fault_set(struct throng_message_fault *fault, enum throng_message_fault_kind kind,
                 size_t offset, uint64_t value, uint64_t limit)
{
    *fault = (struct throng_message_fault){.kind = (uint32_t)kind,
                                           .code = code_of(kind),
                                           .offset = offset,
                                           .value = value,
                                           .limit = limit};
    return fault->code;
}

static const char *sentence_of(uint32_t kind)
{
    static const char *const sentences[] = {"nothing is wrong",
#define SENTENCE(name, text) text,
                                            THRONG_MESSAGE_FAULT_MAP(SENTENCE)
#undef SENTENCE
    };
    return kind < sizeof sentences / sizeof sentences[0] ? sentences[kind] : "an unknown fault";
}

/* What the two numbers of a fault mean. */
static void numbers_text(const struct throng_message_fault *fault, char *text, size_t size)
{
    const uint64_t value = fault->value;
    const uint64_t limit = fault->limit;
    text[0] = '\0';
    switch ((enum throng_message_fault_kind)fault->kind) {
    case THRONG_FAULT_BYTES:
    case THRONG_FAULT_STRING_BYTES:
    case THRONG_FAULT_KEY_BYTES:
        (void)snprintf(text, size, ": %" PRIu64 " bytes; at most %" PRIu64, value, limit);
        break;
    case THRONG_FAULT_DEPTH:
    case THRONG_FAULT_NODES:
        (void)snprintf(text, size, ": %" PRIu64 "; at most %" PRIu64, value, limit);
        break;
    case THRONG_FAULT_COUNT:
        (void)snprintf(text, size, ": %" PRIu64 "; %" PRIu64 " bytes left", value, limit);
        break;
    case THRONG_FAULT_TRUNCATED:
        (void)snprintf(text, size, ": it needs %" PRIu64 " bytes; %" PRIu64 " left", value, limit);
        break;
    case THRONG_FAULT_TRAILING:
    case THRONG_FAULT_UNKNOWN_TYPE:
        (void)snprintf(text, size, ": %" PRIu64, value);
        break;
    case THRONG_FAULT_FIELD_KIND:
        (void)snprintf(text, size, ": %s instead of %s",
                       throng_value_kind_text((enum throng_value_kind)value),
                       throng_value_kind_text((enum throng_value_kind)limit));
        break;
    case THRONG_FAULT_KEY:
    case THRONG_FAULT_EXT:
    case THRONG_FAULT_ENVELOPE:
    case THRONG_FAULT_TYPE:
    case THRONG_FAULT_REQUEST:
        (void)snprintf(text, size, ": found a byte 0x%02" PRIx64, value);
        break;
    default:
        break;
    }
}

void throng_message_fault_text(const struct throng_message_fault *fault, struct throng_error *error)
{
    char numbers[96];
    numbers_text(fault, numbers, sizeof numbers);
    if (fault->field != NULL) {
        (void)tg_failure(error, fault->code, "field \"%.64s\": %s%s", fault->field,
                         sentence_of(fault->kind), numbers);
    } else {
        (void)tg_failure(error, fault->code, "at byte %zu: %s%s", fault->offset,
                         sentence_of(fault->kind), numbers);
    }
}

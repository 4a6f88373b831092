/* SPDX-License-Identifier: MIT
 * The rows of the option table, their values in the options, and what a program may know of them.
 * Any thread. */
#include "option_table.h"

#include <string.h>

#include "port/port.h"

#define FIELD_BYTES(field) sizeof(((struct throng_server_options *)NULL)->field)

/* Bytes of one value: numbers have 32 bits, so a longer field is an array of them. */
#define VALUE_BYTES_NUMBER(field) 4
#define VALUE_BYTES_OFF(field) 4
#define VALUE_BYTES_AUTO(field) 4
#define VALUE_BYTES_MEMORY(field) FIELD_BYTES(field)
#define VALUE_BYTES_CHOICE(field) FIELD_BYTES(field)
#define VALUE_BYTES_LISTEN(field) sizeof(char *)
#define VALUE_BYTES_ENDPOINT(field) sizeof(char *)
#define VALUE_BYTES_BACKEND(field) sizeof(char *)

#define COUNT_NUMBER(field) (FIELD_BYTES(field) / 4)
#define COUNT_OFF(field) (FIELD_BYTES(field) / 4)
#define COUNT_AUTO(field) (FIELD_BYTES(field) / 4)
#define COUNT_MEMORY(field) 1
#define COUNT_CHOICE(field) 1
#define COUNT_LISTEN(field) THRONG_LISTENERS_MAX
#define COUNT_ENDPOINT(field) 1
#define COUNT_BACKEND(field) 1

#define RANGE_NUMBER(least, most) #least ".." #most
#define RANGE_OFF(least, most) #least ".." #most " | off"
#define RANGE_AUTO(least, most) #least ".." #most " | auto"
#define RANGE_MEMORY(least, most) #least ".." #most
#define RANGE_CHOICE(least, most) ""
#define RANGE_LISTEN(least, most) ""
#define RANGE_ENDPOINT(least, most) ""
#define RANGE_BACKEND(least, most) ""

const struct tg_option tg_options[TG_OPTION_COUNT] = {
#define ROW(field, how, preset, lowest, highest, measure, words, text)                             \
    {.name = #field,                                                                               \
     .unit = (measure),                                                                            \
     .fallback_words = (words),                                                                    \
     .fallback_digits = #preset,                                                                   \
     .range = RANGE_##how(lowest, highest),                                                        \
     .help = (text),                                                                               \
     .fallback = (preset),                                                                         \
     .least = (lowest),                                                                            \
     .most = (highest),                                                                            \
     .offset = (uint32_t)offsetof(struct throng_server_options, field),                            \
     .size = (uint32_t)(VALUE_BYTES_##how(field)),                                                 \
     .count = (uint32_t)(COUNT_##how(field)),                                                      \
     .kind = TG_OPTION_##how},
    TG_OPTION_MAP(ROW)
#undef ROW
};

/* The numbers of the table that have names in the headers. */
_Static_assert(THRONG_CONNECTIONS_LIMIT == 1048575 && THRONG_IO_THREADS_LIMIT == 64 &&
                   THRONG_MESSAGE_BYTES_LIMIT == 67108864 && THRONG_MESSAGE_BYTES_DEFAULT == 65536,
               "the table has these numbers as digits");
_Static_assert(THRONG_IO_THREADS_AUTO == UINT32_MAX && THRONG_OFF == UINT32_MAX,
               "one number stands for every word");
_Static_assert(sizeof(bool) == 1 && sizeof(enum throng_when_full) == 4 &&
                   sizeof(enum throng_byte_order) == 4,
               "choices are copied as numbers of 8 or 32 bits");

bool tg_option_is_number(const struct tg_option *option)
{
    return option->kind != TG_OPTION_LISTEN && option->kind != TG_OPTION_ENDPOINT &&
           option->kind != TG_OPTION_BACKEND;
}

const char *tg_option_word(const struct tg_option *option)
{
    switch (option->kind) {
    case TG_OPTION_OFF:
        return "off";
    case TG_OPTION_AUTO:
        return "auto";
    default:
        return NULL;
    }
}

uint64_t tg_option_get(const struct tg_option *option, const struct throng_server_options *options,
                       uint32_t index)
{
    const char *place = (const char *)options + option->offset + (size_t)index * option->size;
    uint8_t narrow;
    uint32_t number;
    uint64_t wide;
    switch (option->size) {
    case sizeof(narrow):
        memcpy(&narrow, place, sizeof(narrow));
        return narrow;
    case sizeof(number):
        memcpy(&number, place, sizeof(number));
        return number;
    default:
        memcpy(&wide, place, sizeof(wide));
        return wide;
    }
}

void tg_option_put(const struct tg_option *option, struct throng_server_options *options,
                   uint32_t index, uint64_t value)
{
    char *place = (char *)options + option->offset + (size_t)index * option->size;
    uint8_t narrow = (uint8_t)value;
    uint32_t number = (uint32_t)value;
    switch (option->size) {
    case sizeof(narrow):
        memcpy(place, &narrow, sizeof(narrow));
        break;
    case sizeof(number):
        memcpy(place, &number, sizeof(number));
        break;
    default:
        memcpy(place, &value, sizeof(value));
        break;
    }
}

void throng_server_options_init(struct throng_server_options *options)
{
    memset(options, 0, sizeof(*options));
    options->struct_size = sizeof(*options);
    for (uint32_t i = 0; i < TG_OPTION_COUNT; i++) {
        const struct tg_option *option = &tg_options[i];
        for (uint32_t value = 0; tg_option_is_number(option) && value < option->count; value++) {
            tg_option_put(option, options, value, option->fallback);
        }
    }
}

int throng_server_option_info(uint32_t index, struct throng_option_info *info)
{
    if (index >= TG_OPTION_COUNT || info == NULL) {
        return THRONG_EINVAL;
    }
    const struct tg_option *option = &tg_options[index];
    bool is_backend = option->kind == TG_OPTION_BACKEND;
    info->name = option->name;
    info->unit = is_backend ? tg_port_backend_names() : option->unit;
    info->fallback = option->fallback_words[0] != '\0' || !tg_option_is_number(option)
                         ? option->fallback_words
                         : option->fallback_digits;
    info->range = option->range;
    info->help = option->help;
    return 0;
}

/* SPDX-License-Identifier: MIT
 * Reading one value of a scanned message. See item.h; any thread. */
#include "message/item.h"

#include <string.h>

/* What the bytes c0..df begin: a kind, and the width of the number behind the first byte. */
static const struct {
    uint8_t kind;
    uint8_t width;
} forms[32] = {
    {THRONG_VALUE_NIL, 0},     {THRONG_VALUE_NONE, 0},                              /* c0 */
    {THRONG_VALUE_BOOL, 0},    {THRONG_VALUE_BOOL, 0},                              /* c2 */
    {THRONG_VALUE_BIN, 1},     {THRONG_VALUE_BIN, 2},     {THRONG_VALUE_BIN, 4},    /* c4 */
    {THRONG_VALUE_EXT, 0},     {THRONG_VALUE_EXT, 0},     {THRONG_VALUE_EXT, 0},    /* c7 */
    {THRONG_VALUE_FLOAT, 4},   {THRONG_VALUE_FLOAT, 8},                             /* ca */
    {THRONG_VALUE_INTEGER, 1}, {THRONG_VALUE_INTEGER, 2},                           /* cc */
    {THRONG_VALUE_INTEGER, 4}, {THRONG_VALUE_INTEGER, 8},                           /* ce */
    {THRONG_VALUE_INTEGER, 1}, {THRONG_VALUE_INTEGER, 2},                           /* d0: signed */
    {THRONG_VALUE_INTEGER, 4}, {THRONG_VALUE_INTEGER, 8},                           /* d2 */
    {THRONG_VALUE_EXT, 0},     {THRONG_VALUE_EXT, 0},     {THRONG_VALUE_EXT, 0},    /* d4 */
    {THRONG_VALUE_EXT, 0},     {THRONG_VALUE_EXT, 0},                               /* d7 */
    {THRONG_VALUE_STRING, 1},  {THRONG_VALUE_STRING, 2},  {THRONG_VALUE_STRING, 4}, /* d9 */
    {THRONG_VALUE_ARRAY, 2},   {THRONG_VALUE_ARRAY, 4},                             /* dc */
    {THRONG_VALUE_MAP, 2},     {THRONG_VALUE_MAP, 4},                               /* de */
};

static double fraction_of(uint64_t bits, uint32_t width)
{
    double fraction;
    if (width == 4) {
        const uint32_t narrow_bits = (uint32_t)bits;
        float narrow;
        memcpy(&narrow, &narrow_bits, sizeof narrow);
        return (double)narrow;
    }
    memcpy(&fraction, &bits, sizeof fraction);
    return fraction;
}

/* The bytes d0..d3. */
static int64_t signed_of(uint64_t bits, uint32_t width)
{
    switch (width) {
    case 1:
        return (int8_t)bits;
    case 2:
        return (int16_t)bits;
    case 4:
        return (int32_t)bits;
    default:
        return (int64_t)bits;
    }
}

/* The bytes c0..df. */
static void read_typed(const uint8_t *bytes, struct tg_item *item)
{
    const uint8_t first = bytes[0];
    const uint32_t width = forms[first - 0xc0].width;
    const uint64_t number = width == 0 ? 0 : tg_item_load(bytes + 1, width);
    item->kind = (enum throng_value_kind)forms[first - 0xc0].kind;
    switch (item->kind) {
    case THRONG_VALUE_BOOL:
        item->number = first == 0xc3;
        break;
    case THRONG_VALUE_INTEGER:
        item->number = first < 0xd0 ? number : (uint64_t)signed_of(number, width);
        item->is_negative = first >= 0xd0 && (int64_t)item->number < 0;
        break;
    case THRONG_VALUE_FLOAT:
        item->fraction = fraction_of(number, width);
        break;
    case THRONG_VALUE_STRING:
    case THRONG_VALUE_BIN:
        item->bytes = bytes + 1 + width;
        item->size = (uint32_t)number;
        break;
    case THRONG_VALUE_ARRAY:
    case THRONG_VALUE_MAP:
        item->size = (uint32_t)number;
        break;
    default: /* a kind without more to tell */
        break;
    }
}

void tg_item_read(const uint8_t *bytes, struct tg_item *item)
{
    const uint8_t first = bytes[0];
    *item = (struct tg_item){.kind = THRONG_VALUE_INTEGER};
    if (first < 0x80) {
        item->number = first;
    } else if (first < 0xa0) {
        item->kind = first < 0x90 ? THRONG_VALUE_MAP : THRONG_VALUE_ARRAY;
        item->size = first & 0x0f;
    } else if (first < 0xc0) {
        item->kind = THRONG_VALUE_STRING;
        item->bytes = bytes + 1;
        item->size = first & 0x1f;
    } else if (first < 0xe0) {
        read_typed(bytes, item);
    } else {
        item->is_negative = true;
        item->number = (uint64_t)((int64_t)first - 256);
    }
}

/* SPDX-License-Identifier: MIT
 * What is inside arrays and maps: values by index and by key. See throng/value.h; any thread. */
#include <string.h>

#include "base/assert.h"
#include "message/value.h"

/* The usual map and the usual key: their first byte is their size, too. */
#define SMALL_MAP 0x80u
#define SMALL_MAP_MOST 15u
#define SHORT_STRING 0xa0u
#define SHORT_STRING_MOST 31u

uint32_t throng_value_size(throng_value value)
{
    const struct tg_item item = tg_value_item(value);
    return item.kind == THRONG_VALUE_ARRAY || item.kind == THRONG_VALUE_MAP ? item.size : 0;
}

/* Elements or pairs if it is of this kind, else 0. */
static uint32_t size_if(throng_value value, enum throng_value_kind kind)
{
    const struct tg_item item = tg_value_item(value);
    return item.kind == kind ? item.size : 0;
}

/* The value `index` of a container that is bytes; keys count. */
static throng_value child_at(throng_value container, size_t index)
{
    const struct tg_node *node = container.private_place;
    return (throng_value){&node->children[index], container.private_decoder};
}

throng_value throng_array_at(throng_value array, uint32_t index)
{
    if (index >= size_if(array, THRONG_VALUE_ARRAY)) {
        return TG_VALUE_NONE;
    }
    return tg_value_node(array) != NULL ? child_at(array, index)
                                        : tg_object_array_at(array.private_place, index);
}

void throng_map_at(throng_value map, uint32_t index, throng_value *key, throng_value *value)
{
    *key = TG_VALUE_NONE;
    *value = TG_VALUE_NONE;
    if (index >= size_if(map, THRONG_VALUE_MAP)) {
        return;
    }
    if (tg_value_node(map) != NULL) {
        *key = child_at(map, 2 * (size_t)index);
        *value = child_at(map, 2 * (size_t)index + 1);
    } else {
        tg_object_map_at(map.private_place, index, key, value);
    }
}

/* ---- by key ---- */

static bool is_key(throng_value value, const char *key, size_t size)
{
    const struct tg_item item = tg_value_item(value);
    return item.kind == THRONG_VALUE_STRING && item.size == size &&
           (size == 0 || memcmp(item.bytes, key, size) == 0);
}

/* Any map, any keys. */
static TG_OUT_OF_LINE throng_value get_of_any(throng_value map, const char *key)
{
    const size_t size = strlen(key);
    const uint32_t pairs = size_if(map, THRONG_VALUE_MAP);
    for (uint32_t i = 0; i < pairs; i++) {
        throng_value name;
        throng_value value;
        throng_map_at(map, i, &name, &value);
        if (is_key(name, key, size)) {
            return value;
        }
    }
    return TG_VALUE_NONE;
}

/* Whether a short string that has the same first character is the key. A string may have a NUL
 * inside, a key ends with it. */
static inline bool is_short_key(const uint8_t *bytes, const char *key)
{
    const uint32_t size = bytes[0] - SHORT_STRING;
    uint32_t i = 1;
    while (i < size && key[i] != '\0' && (uint8_t)key[i] == bytes[1 + i]) {
        i++;
    }
    return i == size && key[i] == '\0';
}

throng_value throng_map_get(throng_value map, const char *key)
{
    const struct tg_node *node = tg_value_node(map);
    if (key == NULL) {
        return TG_VALUE_NONE;
    }
    if (node == NULL || key[0] == '\0') {
        return get_of_any(map, key);
    }
    const uint32_t pairs = node->bytes[0] - SMALL_MAP;
    if (pairs > SMALL_MAP_MOST) {
        return get_of_any(map, key);
    }
    const struct tg_node *child = node->children;
    for (const struct tg_node *end = child + 2 * (size_t)pairs; child < end; child += 2) {
        const uint8_t *bytes =
            child->bytes; /* two of them at least, for a value follows each key */
        if (bytes[0] - SHORT_STRING > SHORT_STRING_MOST) {
            return get_of_any(map, key);
        }
        if (bytes[1] == (uint8_t)key[0] && is_short_key(bytes, key)) {
            return (throng_value){child + 1, map.private_decoder};
        }
    }
    return TG_VALUE_NONE;
}

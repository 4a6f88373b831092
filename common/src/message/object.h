/* SPDX-License-Identifier: MIT
 * Values that are objects of MessagePack-C's (throng_object_value): the ways of value.c that lead
 * there. They are the rare ones. Pure. */
#ifndef TG_MESSAGE_OBJECT_H
#define TG_MESSAGE_OBJECT_H

#include "message/item.h"

/* `object` NULL: kind NONE. */
void tg_object_read(const void *object, struct tg_item *item);

/* An element of an array, a pair of a map: those that tg_object_read has counted. */
throng_value tg_object_array_at(const void *array, uint32_t index);
void tg_object_map_at(const void *map, uint32_t index, throng_value *key, throng_value *value);

#endif

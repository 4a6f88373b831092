/* SPDX-License-Identifier: MIT
 * The way from throng's typed messages to MessagePack-C's own types, for those who know it. Everything else
 * does without its headers. */
#ifndef THRONG_MESSAGE_OBJECT_H
#define THRONG_MESSAGE_OBJECT_H

#include <throng/message.h>

#include <msgpack.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The object that a value is, NULL for none. Valid as long as the value; do not change it. */
static inline const msgpack_object *throng_value_object(throng_value value)
{
    return (const msgpack_object *)value.private_object;
}

/* An object as a value, to read it with throng/value.h. */
static inline throng_value throng_object_value(const msgpack_object *object)
{
    throng_value value = {object};
    return value;
}

/* Packs an object, with all that is inside it. */
THRONG_API void throng_pack_object(struct throng_pack *pack, const msgpack_object *object);

#ifdef __cplusplus
}
#endif

#endif

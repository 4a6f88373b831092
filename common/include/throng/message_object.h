/* SPDX-License-Identifier: MIT
 * The way from throng's typed messages to MessagePack-C's own types, for those who know it.
 * Everything else does without its headers. */
#ifndef THRONG_MESSAGE_OBJECT_H
#define THRONG_MESSAGE_OBJECT_H

#include <throng/message.h>

#include <msgpack.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The object that a value is, NULL for none. Valid as long as the value; do not change it. The
 * first call for a message has MessagePack-C decode all of its body, into memory that is reserved
 * with the decoder; a call for a value inside looks for it from there. Handlers that read with
 * throng/value.h do not pay for it. The thread of the decoder. */
THRONG_API const msgpack_object *throng_value_object(throng_value value);

/* An object as a value, to read it with throng/value.h. */
static inline throng_value throng_object_value(const msgpack_object *object)
{
    throng_value value = {object, NULL};
    return value;
}

/* Packs an object, with all that is inside it. */
THRONG_API void throng_pack_object(struct throng_pack *pack, const msgpack_object *object);

#ifdef __cplusplus
}
#endif

#endif

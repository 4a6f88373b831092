/* SPDX-License-Identifier: MIT
 * Writing a typed message, a value at a time, without knowing MessagePack. A part of throng_message
 * (throng/message.h).
 *
 *     uint8_t buffer[256];
 *     struct throng_pack pack;
 *     throng_pack_to_buffer(&pack, buffer, sizeof buffer);
 *     throng_pack_envelope(&pack, CHAT_LINE, 0);
 *     throng_pack_map(&pack, 2);
 *     throng_pack_field_string(&pack, "nick", nick, nick_size);
 *     throng_pack_field_string(&pack, "text", text, text_size);
 *     int64_t size = throng_pack_end(&pack);
 *     if (size >= 0)
 *         throng_room_broadcast(server, room, buffer, (size_t)size, THRONG_NOBODY);
 *
 * The first error is kept: calls after it do nothing, and throng_pack_end answers it, so it is
 * enough to look there. Nothing is allocated. A pack belongs to one thread at a time. */
#ifndef THRONG_PACK_H
#define THRONG_PACK_H

#include <throng/error.h>
#include <throng/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the bytes go: takes all `size` (>= 1) of them and answers 0, or a negative error that ends
 * the pack. throng_writer_sink (throng/server.h) is one. */
typedef int throng_sink(void *context, const void *data, size_t size);

/* Most containers inside each other, the envelope among them. */
#define THRONG_PACK_DEPTH_MAX 31

/* Bytes that collect before a sink is asked. */
#define THRONG_PACK_STAGE_BYTES 512

/* All of it is throng's own. It may point into itself: do not copy it. */
struct throng_pack {
    throng_sink *private_sink; /* NULL: the window is the caller's buffer */
    void *private_context;
    uint8_t *private_window; /* what is written next goes to window + used */
    size_t private_capacity;
    size_t private_used;
    uint64_t private_passed; /* bytes that the sink has taken */
    int private_error;
    uint32_t private_depth;
    uint64_t
        private_left[THRONG_PACK_DEPTH_MAX + 1]; /* values that each open container still lacks */
    uint8_t private_spare[16]; /* where a number is written when the window's end is near */
    uint8_t private_stage[THRONG_PACK_STAGE_BYTES];
};

/* Begins in a buffer of the caller's. A message that is longer than it is THRONG_ETOOBIG. */
THRONG_API void throng_pack_to_buffer(struct throng_pack *pack, void *buffer, size_t capacity);

/* Begins with a sink. Bytes collect in the pack before they are handed to it. */
THRONG_API void throng_pack_to_sink(struct throng_pack *pack, throng_sink *sink, void *context);

/* Ends: the bytes of the message, all of which are in the buffer or with the sink; or the first
 * error: THRONG_EINVAL: misuse (more or fewer values than a container was begun with, no or more
 * than one message, too deep, a NULL, an envelope that is none), THRONG_ETOOBIG, or the sink's. */
THRONG_API int64_t throng_pack_end(struct throng_pack *pack);

/* The whole message, if it is complete and no sink was asked yet: in the buffer, or in the pack
 * itself. Else NULL, for throng_pack_end to say why. Ends nothing. */
THRONG_API const void *throng_pack_unpassed(const struct throng_pack *pack, size_t *size);

/* The first error so far, or 0. */
THRONG_API int throng_pack_error(const struct throng_pack *pack);

/* Ends it with an error of the caller's (negative). The first one stays. */
THRONG_API void throng_pack_fail(struct throng_pack *pack, int error);

/* ---- the envelope: [type, request, body] ----
 *
 * First, and then exactly one value: the body. `request` is 0: neither; n (1..2,147,483,647): a
 * request with that id (throng_request_begin); -n: the reply to request n
 * (throng_message_reply_id). `type` is at least 1. */
THRONG_API void throng_pack_envelope(struct throng_pack *pack, uint32_t type, int32_t request);

/* A whole error message, in place of envelope and body: type 0, {"code": code, "text": text}. A
 * negative code is one of throng/error.h, a positive one the application's own. `text` is
 * NUL-terminated. */
THRONG_API void throng_pack_error_message(struct throng_pack *pack, int32_t request, int32_t code,
                                          const char *text);

/* ---- values ---- */

THRONG_API void throng_pack_nil(struct throng_pack *pack);
THRONG_API void throng_pack_bool(struct throng_pack *pack, bool yes);
THRONG_API void throng_pack_u64(struct throng_pack *pack, uint64_t number);
THRONG_API void throng_pack_i64(struct throng_pack *pack, int64_t number);
THRONG_API void throng_pack_f64(struct throng_pack *pack, double number);
THRONG_API void throng_pack_f32(struct throng_pack *pack, float number);

/* `size` bytes of text, by convention UTF-8 (not checked). `text` may be NULL if it is 0. */
THRONG_API void throng_pack_string(struct throng_pack *pack, const char *text, size_t size);
/* NUL-terminated. */
THRONG_API void throng_pack_text(struct throng_pack *pack, const char *text);
THRONG_API void throng_pack_bin(struct throng_pack *pack, const void *data, size_t size);

/* `count` values follow, or `count` pairs of a key and a value each. */
THRONG_API void throng_pack_array(struct throng_pack *pack, uint32_t count);
THRONG_API void throng_pack_map(struct throng_pack *pack, uint32_t count);

/* One value that is encoded already, such as one kept from before. Its bytes are not looked at. */
THRONG_API void throng_pack_encoded(struct throng_pack *pack, const void *data, size_t size);

/* ---- fields: a NUL-terminated key and its value, one pair of a map ---- */

THRONG_API void throng_pack_field_bool(struct throng_pack *pack, const char *key, bool yes);
THRONG_API void throng_pack_field_u64(struct throng_pack *pack, const char *key, uint64_t number);
THRONG_API void throng_pack_field_i64(struct throng_pack *pack, const char *key, int64_t number);
THRONG_API void throng_pack_field_f64(struct throng_pack *pack, const char *key, double number);
THRONG_API void throng_pack_field_string(struct throng_pack *pack, const char *key,
                                         const char *text, size_t size);
THRONG_API void throng_pack_field_text(struct throng_pack *pack, const char *key, const char *text);
THRONG_API void throng_pack_field_bin(struct throng_pack *pack, const char *key, const void *data,
                                      size_t size);
/* The key, then as throng_pack_array and throng_pack_map. */
THRONG_API void throng_pack_field_array(struct throng_pack *pack, const char *key, uint32_t count);
THRONG_API void throng_pack_field_map(struct throng_pack *pack, const char *key, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif

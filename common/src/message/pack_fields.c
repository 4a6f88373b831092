/* SPDX-License-Identifier: MIT
 * What is made of the values of pack.c: the envelope, error messages, and the fields of maps. One
 * thread at a time. */
#include <throng/message.h>

#include "base/assert.h"
#include "message/packing.h"

/* An envelope is the first thing of a message. */
static bool may_begin(struct throng_pack *pack, int32_t request)
{
    if (pack->private_used > 0 || pack->private_passed > 0 || request == INT32_MIN) {
        throng_pack_fail(pack, THRONG_EINVAL);
    }
    return pack->private_error == 0;
}

/* Three values in one go: most of what a short message costs is the number of them. */
static void put_envelope(struct throng_pack *pack, uint32_t type, int32_t request)
{
    struct tg_head head;
    msgpack_packer packer = tg_head_begin(&head, pack);
    (void)msgpack_pack_array(&packer, 3);
    (void)msgpack_pack_uint32(&packer, type);
    (void)(request == 0 ? msgpack_pack_nil(&packer) : msgpack_pack_int32(&packer, request));
    (void)tg_head_end(&head, pack);
    pack->private_left[0] = 0;
    pack->private_left[1] = 1; /* the body */
    pack->private_depth = 1;
}

void throng_pack_envelope(struct throng_pack *pack, uint32_t type, int32_t request)
{
    if (type == THRONG_MESSAGE_TYPE_ERROR) {
        throng_pack_fail(pack, THRONG_EINVAL);
    }
    if (may_begin(pack, request)) {
        put_envelope(pack, type, request);
    }
}

void throng_pack_error_message(struct throng_pack *pack, int32_t request, int32_t code,
                               const char *text)
{
    if (may_begin(pack, request)) {
        put_envelope(pack, THRONG_MESSAGE_TYPE_ERROR, request);
        throng_pack_map(pack, 2);
        throng_pack_field_i64(pack, "code", code);
        throng_pack_field_text(pack, "text", text);
    }
}

/* ---- fields ---- */

/* Writes a short key into the window. False, with nothing written, if it is long or there is no
 * room for any. */
static inline bool put_short_key(struct throng_pack *pack, const char *key)
{
    if (!tg_pack_has_room(pack, 1 + TG_PACK_SHORT_MOST + 1)) { /* a long one shows by one more */
        return false;
    }
    uint8_t *const head = pack->private_window + pack->private_used;
    uint8_t *at = head + 1;
    while (*key != '\0' && at <= head + 1 + TG_PACK_SHORT_MOST) {
        *at++ = (uint8_t)*key++;
    }
    const size_t size = (size_t)(at - head) - 1;
    if (size > TG_PACK_SHORT_MOST) {
        return false;
    }
    head[0] = (uint8_t)(TG_PACK_SHORT | size);
    pack->private_used += 1 + size;
    return true;
}

/* Any key, any room, and whatever is wrong. */
static TG_OUT_OF_LINE bool begin_any_field(struct throng_pack *pack, const char *key)
{
    throng_pack_text(pack, key);
    return tg_pack_take(pack);
}

/* Writes the key. Whether the value has its place. */
static inline bool begin_field(struct throng_pack *pack, const char *key)
{
    uint64_t *left = &pack->private_left[pack->private_depth];
    if (pack->private_error == 0 && *left >= 2 && key != NULL && put_short_key(pack, key)) {
        *left -= 2;
        return true;
    }
    return begin_any_field(pack, key);
}

void throng_pack_field_bool(struct throng_pack *pack, const char *key, bool yes)
{
    if (begin_field(pack, key)) {
        tg_put_bool(pack, yes);
    }
}

void throng_pack_field_u64(struct throng_pack *pack, const char *key, uint64_t number)
{
    if (begin_field(pack, key)) {
        tg_put_u64(pack, number);
    }
}

void throng_pack_field_i64(struct throng_pack *pack, const char *key, int64_t number)
{
    if (begin_field(pack, key)) {
        tg_put_i64(pack, number);
    }
}

void throng_pack_field_f64(struct throng_pack *pack, const char *key, double number)
{
    if (begin_field(pack, key)) {
        tg_put_f64(pack, number);
    }
}

void throng_pack_field_string(struct throng_pack *pack, const char *key, const char *text,
                              size_t size)
{
    if (begin_field(pack, key) && tg_pack_are_bytes(pack, text, size)) {
        tg_put_string(pack, text, size);
    }
}

void throng_pack_field_text(struct throng_pack *pack, const char *key, const char *text)
{
    throng_pack_field_string(pack, key, text, text == NULL ? SIZE_MAX : strlen(text));
}

void throng_pack_field_bin(struct throng_pack *pack, const char *key, const void *data, size_t size)
{
    if (begin_field(pack, key) && tg_pack_are_bytes(pack, data, size)) {
        tg_put_bin(pack, data, size);
    }
}

void throng_pack_field_array(struct throng_pack *pack, const char *key, uint32_t count)
{
    throng_pack_text(pack, key);
    throng_pack_array(pack, count);
}

void throng_pack_field_map(struct throng_pack *pack, const char *key, uint32_t count)
{
    throng_pack_text(pack, key);
    throng_pack_map(pack, count);
}

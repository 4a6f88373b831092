/* SPDX-License-Identifier: MIT
 * What is made of the values of pack.c: the envelope, error messages, and the fields of maps. One thread at a time. */
#include <throng/message.h>

/* An envelope is the first thing of a message. */
static bool may_begin(struct throng_pack *pack, int32_t request)
{
    if (pack->private_used > 0 || pack->private_passed > 0 || request == INT32_MIN) {
        throng_pack_fail(pack, THRONG_EINVAL);
    }
    return pack->private_error == 0;
}

static void put_envelope(struct throng_pack *pack, uint32_t type, int32_t request)
{
    throng_pack_array(pack, 3);
    throng_pack_u64(pack, type);
    if (request == 0) {
        throng_pack_nil(pack);
    } else {
        throng_pack_i64(pack, request);
    }
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

void throng_pack_field_bool(struct throng_pack *pack, const char *key, bool yes)
{
    throng_pack_text(pack, key);
    throng_pack_bool(pack, yes);
}

void throng_pack_field_u64(struct throng_pack *pack, const char *key, uint64_t number)
{
    throng_pack_text(pack, key);
    throng_pack_u64(pack, number);
}

void throng_pack_field_i64(struct throng_pack *pack, const char *key, int64_t number)
{
    throng_pack_text(pack, key);
    throng_pack_i64(pack, number);
}

void throng_pack_field_f64(struct throng_pack *pack, const char *key, double number)
{
    throng_pack_text(pack, key);
    throng_pack_f64(pack, number);
}

void throng_pack_field_string(struct throng_pack *pack, const char *key, const char *text,
                              size_t size)
{
    throng_pack_text(pack, key);
    throng_pack_string(pack, text, size);
}

void throng_pack_field_text(struct throng_pack *pack, const char *key, const char *text)
{
    throng_pack_text(pack, key);
    throng_pack_text(pack, text);
}

void throng_pack_field_bin(struct throng_pack *pack, const char *key, const void *data, size_t size)
{
    throng_pack_text(pack, key);
    throng_pack_bin(pack, data, size);
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

/* SPDX-License-Identifier: MIT
 * Writing messages: throng/pack.h on MessagePack-C's packer, whose bytes go into a window: the
 * user's buffer, or a stage that is emptied into a sink. One thread at a time. */
#include "message/packing.h"

#include <throng/message_object.h>

#include "base/assert.h"

static void begin(struct throng_pack *pack, uint8_t *window, size_t capacity)
{
    pack->private_sink = NULL;
    pack->private_context = NULL;
    pack->private_window = window;
    pack->private_capacity = capacity;
    pack->private_used = 0;
    pack->private_passed = 0;
    pack->private_error = 0;
    pack->private_depth = 0;
    pack->private_left[0] = 1;
}

void throng_pack_to_buffer(struct throng_pack *pack, void *buffer, size_t capacity)
{
    begin(pack, buffer, buffer == NULL ? 0 : capacity);
}

void throng_pack_to_sink(struct throng_pack *pack, throng_sink *sink, void *context)
{
    begin(pack, pack->private_stage, sizeof pack->private_stage);
    pack->private_sink = sink;
    pack->private_context = context;
    if (sink == NULL) {
        pack->private_error = THRONG_EINVAL;
    }
}

void throng_pack_fail(struct throng_pack *pack, int error)
{
    if (pack->private_error == 0) {
        pack->private_error = error;
    }
}

int throng_pack_error(const struct throng_pack *pack)
{
    return pack->private_error;
}

static int pass_to_sink(struct throng_pack *pack, const void *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const int result = pack->private_sink(pack->private_context, data, size);
    if (result < 0) {
        throng_pack_fail(pack, result);
        return result;
    }
    pack->private_passed += size;
    return 0;
}

static int empty_stage(struct throng_pack *pack)
{
    const int result = pass_to_sink(pack, pack->private_window, pack->private_used);
    pack->private_used = 0;
    return result;
}

/* What does not fit the window any more. A long string goes by the stage. */
static TG_OUT_OF_LINE int put_beyond(struct throng_pack *pack, const void *bytes, size_t size)
{
    if (pack->private_sink == NULL) {
        throng_pack_fail(pack, THRONG_ETOOBIG);
        return THRONG_ETOOBIG;
    }
    const int result = empty_stage(pack);
    if (result < 0 || size > pack->private_capacity) {
        return result < 0 ? result : pass_to_sink(pack, bytes, size);
    }
    memcpy(pack->private_window, bytes, size);
    pack->private_used = size;
    return 0;
}

int tg_pack_put(struct throng_pack *pack, const void *bytes, size_t size)
{
    if (!tg_pack_has_room(pack, size)) {
        return put_beyond(pack, bytes, size);
    }
    if (size > 0) {
        memcpy(pack->private_window + pack->private_used, bytes, size);
        pack->private_used += size;
    }
    return 0;
}

/* For what MessagePack-C writes in pieces. */
static int put(void *context, const char *bytes, size_t size)
{
    return tg_pack_put(context, bytes, size);
}

bool tg_pack_take_further(struct throng_pack *pack)
{
    if (pack->private_error != 0) {
        return false;
    }
    uint64_t *left = pack->private_left;
    while (pack->private_depth > 0 && left[pack->private_depth] == 0) {
        pack->private_depth--;
    }
    if (left[pack->private_depth] == 0) {
        throng_pack_fail(pack, THRONG_EINVAL); /* more than one message */
        return false;
    }
    left[pack->private_depth]--;
    return true;
}

/* The container just written lacks `count` values. */
static void enter(struct throng_pack *pack, uint64_t count)
{
    if (count > 0) {
        pack->private_left[++pack->private_depth] = count;
    }
}

static bool take_container(struct throng_pack *pack)
{
    if (!tg_pack_take(pack)) {
        return false;
    }
    if (pack->private_depth == THRONG_PACK_DEPTH_MAX) {
        throng_pack_fail(pack, THRONG_EINVAL);
        return false;
    }
    return true;
}

static bool is_complete(const struct throng_pack *pack)
{
    for (uint32_t i = 0; i <= pack->private_depth; i++) {
        if (pack->private_left[i] > 0) {
            return false;
        }
    }
    return true;
}

const void *throng_pack_unpassed(const struct throng_pack *pack, size_t *size)
{
    if (pack->private_error != 0 || pack->private_passed > 0 || !is_complete(pack)) {
        return NULL;
    }
    *size = pack->private_used;
    return pack->private_window;
}

int64_t throng_pack_end(struct throng_pack *pack)
{
    if (pack->private_error == 0 && !is_complete(pack)) {
        throng_pack_fail(pack, THRONG_EINVAL); /* values are missing */
    }
    if (pack->private_error == 0 && pack->private_sink != NULL) {
        (void)empty_stage(pack);
    }
    if (pack->private_error != 0) {
        return pack->private_error;
    }
    return (int64_t)(pack->private_passed + pack->private_used);
}

/* ---- values ---- */

void throng_pack_nil(struct throng_pack *pack)
{
    if (tg_pack_take(pack)) {
        tg_put_nil(pack);
    }
}

void throng_pack_bool(struct throng_pack *pack, bool yes)
{
    if (tg_pack_take(pack)) {
        tg_put_bool(pack, yes);
    }
}

void throng_pack_u64(struct throng_pack *pack, uint64_t number)
{
    if (tg_pack_take(pack)) {
        tg_put_u64(pack, number);
    }
}

void throng_pack_i64(struct throng_pack *pack, int64_t number)
{
    if (tg_pack_take(pack)) {
        tg_put_i64(pack, number);
    }
}

void throng_pack_f64(struct throng_pack *pack, double number)
{
    if (tg_pack_take(pack)) {
        tg_put_f64(pack, number);
    }
}

void throng_pack_f32(struct throng_pack *pack, float number)
{
    if (tg_pack_take(pack)) {
        struct tg_head head;
        msgpack_packer packer = tg_head_begin(&head, pack);
        (void)msgpack_pack_float(&packer, number);
        (void)tg_head_end(&head, pack);
    }
}

void throng_pack_string(struct throng_pack *pack, const char *text, size_t size)
{
    if (tg_pack_are_bytes(pack, text, size) && tg_pack_take(pack)) {
        tg_put_string(pack, text, size);
    }
}

void throng_pack_text(struct throng_pack *pack, const char *text)
{
    if (text == NULL) {
        throng_pack_fail(pack, THRONG_EINVAL);
    } else {
        throng_pack_string(pack, text, strlen(text));
    }
}

void throng_pack_bin(struct throng_pack *pack, const void *data, size_t size)
{
    if (tg_pack_are_bytes(pack, data, size) && tg_pack_take(pack)) {
        tg_put_bin(pack, data, size);
    }
}

void throng_pack_array(struct throng_pack *pack, uint32_t count)
{
    if (take_container(pack)) {
        struct tg_head head;
        msgpack_packer packer = tg_head_begin(&head, pack);
        (void)msgpack_pack_array(&packer, count);
        (void)tg_head_end(&head, pack);
        enter(pack, count);
    }
}

void throng_pack_map(struct throng_pack *pack, uint32_t count)
{
    if (take_container(pack)) {
        struct tg_head head;
        msgpack_packer packer = tg_head_begin(&head, pack);
        (void)msgpack_pack_map(&packer, count);
        (void)tg_head_end(&head, pack);
        enter(pack, 2 * (uint64_t)count);
    }
}

void throng_pack_encoded(struct throng_pack *pack, const void *data, size_t size)
{
    if (data == NULL || size == 0) {
        throng_pack_fail(pack, THRONG_EINVAL);
    } else if (tg_pack_take(pack)) {
        (void)tg_pack_put(pack, data, size);
    }
}

void throng_pack_object(struct throng_pack *pack, const msgpack_object *object)
{
    if (object == NULL) {
        throng_pack_fail(pack, THRONG_EINVAL);
    } else if (tg_pack_take(pack)) {
        msgpack_packer packer = {pack, put};
        if (msgpack_pack_object(&packer, *object) < 0) {
            throng_pack_fail(pack, THRONG_EINVAL);
        }
    }
}

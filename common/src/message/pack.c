/* SPDX-License-Identifier: MIT
 * Writing messages: throng/pack.h on MessagePack-C's packer, whose bytes go into a window: the user's buffer, or a stage
 * that is emptied into a sink. One thread at a time. */
#include <string.h>

#include <msgpack.h>

#include <throng/message_object.h>

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
static int put_beyond(struct throng_pack *pack, const char *bytes, size_t size)
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

/* The packer's way out. */
static int put(void *context, const char *bytes, size_t size)
{
    struct throng_pack *pack = context;
    if (size > pack->private_capacity - pack->private_used) {
        return put_beyond(pack, bytes, size);
    }
    uint8_t *target = pack->private_window + pack->private_used;
    pack->private_used += size;
    switch (size) { /* the usual ones without a call */
    case 0:
        break;
    case 1:
        *target = (uint8_t)*bytes;
        break;
    case 9:
        memcpy(target, bytes, 9);
        break;
    default:
        memcpy(target, bytes, size);
        break;
    }
    return 0;
}

/* A string of at most 31 bytes, every key among them, in one move: most of what a message is made of. False if it is
 * none, or does not fit the window: the packer takes every case. */
static bool put_short_string(struct throng_pack *pack, const char *text, size_t size)
{
    if (size > 31 || size >= pack->private_capacity - pack->private_used) {
        return false;
    }
    uint8_t *target = pack->private_window + pack->private_used;
    *target = (uint8_t)(0xa0 | size);
    if (size > 0) {
        memcpy(target + 1, text, size);
    }
    pack->private_used += 1 + size;
    return true;
}

static msgpack_packer packer_of(struct throng_pack *pack)
{
    return (msgpack_packer){pack, put};
}

/* Whether one more value may be written now; counts it. */
static bool take_place(struct throng_pack *pack)
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
    if (!take_place(pack)) {
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
    if (take_place(pack)) {
        msgpack_packer packer = packer_of(pack);
        (void)msgpack_pack_nil(&packer);
    }
}

void throng_pack_bool(struct throng_pack *pack, bool yes)
{
    if (take_place(pack)) {
        msgpack_packer packer = packer_of(pack);
        (void)(yes ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
    }
}

void throng_pack_u64(struct throng_pack *pack, uint64_t number)
{
    if (take_place(pack)) {
        msgpack_packer packer = packer_of(pack);
        (void)msgpack_pack_uint64(&packer, number);
    }
}

void throng_pack_i64(struct throng_pack *pack, int64_t number)
{
    if (take_place(pack)) {
        msgpack_packer packer = packer_of(pack);
        (void)msgpack_pack_int64(&packer, number);
    }
}

void throng_pack_f64(struct throng_pack *pack, double number)
{
    if (take_place(pack)) {
        msgpack_packer packer = packer_of(pack);
        (void)msgpack_pack_double(&packer, number);
    }
}

void throng_pack_f32(struct throng_pack *pack, float number)
{
    if (take_place(pack)) {
        msgpack_packer packer = packer_of(pack);
        (void)msgpack_pack_float(&packer, number);
    }
}

/* Whether so many bytes can be a string or bin: their number has 32 bits. */
static bool are_bytes(struct throng_pack *pack, const void *data, size_t size)
{
    if ((data == NULL && size > 0) || size > UINT32_MAX) {
        throng_pack_fail(pack, THRONG_EINVAL);
    }
    return pack->private_error == 0;
}

void throng_pack_string(struct throng_pack *pack, const char *text, size_t size)
{
    if (are_bytes(pack, text, size) && take_place(pack) && !put_short_string(pack, text, size)) {
        msgpack_packer packer = packer_of(pack);
        (void)(msgpack_pack_str(&packer, size) == 0 && put(pack, text, size) == 0);
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
    if (are_bytes(pack, data, size) && take_place(pack)) {
        msgpack_packer packer = packer_of(pack);
        (void)(msgpack_pack_bin(&packer, size) == 0 && put(pack, data, size) == 0);
    }
}

void throng_pack_array(struct throng_pack *pack, uint32_t count)
{
    if (take_container(pack)) {
        msgpack_packer packer = packer_of(pack);
        (void)msgpack_pack_array(&packer, count);
        enter(pack, count);
    }
}

void throng_pack_map(struct throng_pack *pack, uint32_t count)
{
    if (take_container(pack)) {
        msgpack_packer packer = packer_of(pack);
        (void)msgpack_pack_map(&packer, count);
        enter(pack, 2 * (uint64_t)count);
    }
}

void throng_pack_encoded(struct throng_pack *pack, const void *data, size_t size)
{
    if (data == NULL || size == 0) {
        throng_pack_fail(pack, THRONG_EINVAL);
    } else if (take_place(pack)) {
        (void)put(pack, data, size);
    }
}

void throng_pack_object(struct throng_pack *pack, const msgpack_object *object)
{
    if (object == NULL) {
        throng_pack_fail(pack, THRONG_EINVAL);
    } else if (take_place(pack)) {
        msgpack_packer packer = packer_of(pack);
        if (msgpack_pack_object(&packer, *object) < 0) {
            throng_pack_fail(pack, THRONG_EINVAL);
        }
    }
}

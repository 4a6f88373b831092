/* SPDX-License-Identifier: MIT
 * What each value of a pack goes through: its place in the container, and the window. For pack.c
 * and pack_fields.c, inline because a message is made of little else. One thread at a time. */
#ifndef TG_MESSAGE_PACKING_H
#define TG_MESSAGE_PACKING_H

#include <string.h>

#include <msgpack.h>

#include <throng/pack.h>

/* Most bytes of a value without those of a string or bin: 9; and of an envelope: 1 + 5 + 5. */
#define TG_PACK_HEAD_MOST 11u
/* Longest string that one byte goes in front of. */
#define TG_PACK_SHORT_MOST 31u
#define TG_PACK_SHORT 0xa0u

/* Takes a place where tg_pack_take has not seen one. False, with the error, if there is none. */
bool tg_pack_take_further(struct throng_pack *pack);

/* Writes what may not fit the window any more. 0 or the pack's error. */
int tg_pack_put(struct throng_pack *pack, const void *bytes, size_t size);

/* Whether one more value may be written now; counts it. */
static inline bool tg_pack_take(struct throng_pack *pack)
{
    uint64_t *left = &pack->private_left[pack->private_depth];
    if (pack->private_error != 0 || *left == 0) {
        return tg_pack_take_further(pack);
    }
    --*left;
    return true;
}

static inline bool tg_pack_has_room(const struct throng_pack *pack, size_t size)
{
    return size <= pack->private_capacity - pack->private_used;
}

/* ---- what MessagePack-C writes: a number, the start of a string or container, an envelope ----
 *
 * It goes straight into the window if there is room for the longest, else by way of the spare
 * bytes. */

struct tg_head {
    uint8_t *at;
    uint8_t *begin;
};

_Static_assert(sizeof(((struct throng_pack *)0)->private_spare) >= TG_PACK_HEAD_MOST,
               "the spare bytes hold the longest");

/* The packer's way out. */
static inline int tg_head_put(void *context, const char *bytes, size_t size)
{
    struct tg_head *head = (struct tg_head *)context;
    memcpy(head->at, bytes, size);
    head->at += size;
    return 0;
}

static inline msgpack_packer tg_head_begin(struct tg_head *head, struct throng_pack *pack)
{
    head->begin = tg_pack_has_room(pack, TG_PACK_HEAD_MOST)
                      ? pack->private_window + pack->private_used
                      : pack->private_spare;
    head->at = head->begin;
    return (msgpack_packer){head, tg_head_put};
}

static inline int tg_head_end(struct tg_head *head, struct throng_pack *pack)
{
    const size_t size = (size_t)(head->at - head->begin);
    if (head->begin == pack->private_spare) {
        return tg_pack_put(pack, pack->private_spare, size);
    }
    pack->private_used += size;
    return 0;
}

/* ---- values that have their place ---- */

static inline void tg_put_nil(struct throng_pack *pack)
{
    struct tg_head head;
    msgpack_packer packer = tg_head_begin(&head, pack);
    (void)msgpack_pack_nil(&packer);
    (void)tg_head_end(&head, pack);
}

static inline void tg_put_bool(struct throng_pack *pack, bool yes)
{
    struct tg_head head;
    msgpack_packer packer = tg_head_begin(&head, pack);
    (void)(yes ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
    (void)tg_head_end(&head, pack);
}

static inline void tg_put_u64(struct throng_pack *pack, uint64_t number)
{
    struct tg_head head;
    msgpack_packer packer = tg_head_begin(&head, pack);
    (void)msgpack_pack_uint64(&packer, number);
    (void)tg_head_end(&head, pack);
}

static inline void tg_put_i64(struct throng_pack *pack, int64_t number)
{
    struct tg_head head;
    msgpack_packer packer = tg_head_begin(&head, pack);
    (void)msgpack_pack_int64(&packer, number);
    (void)tg_head_end(&head, pack);
}

static inline void tg_put_f64(struct throng_pack *pack, double number)
{
    struct tg_head head;
    msgpack_packer packer = tg_head_begin(&head, pack);
    (void)msgpack_pack_double(&packer, number);
    (void)tg_head_end(&head, pack);
}

/* Whether so many bytes can be a string or bin: their number has 32 bits. */
static inline bool tg_pack_are_bytes(struct throng_pack *pack, const void *data, size_t size)
{
    if ((data == NULL && size > 0) || size > UINT32_MAX) {
        throng_pack_fail(pack, THRONG_EINVAL);
        return false;
    }
    return true;
}

static inline void tg_put_string(struct throng_pack *pack, const char *text, size_t size)
{
    struct tg_head head;
    msgpack_packer packer = tg_head_begin(&head, pack);
    (void)msgpack_pack_str(&packer, size);
    if (tg_head_end(&head, pack) == 0) {
        (void)tg_pack_put(pack, text, size);
    }
}

static inline void tg_put_bin(struct throng_pack *pack, const void *data, size_t size)
{
    struct tg_head head;
    msgpack_packer packer = tg_head_begin(&head, pack);
    (void)msgpack_pack_bin(&packer, size);
    if (tg_head_end(&head, pack) == 0) {
        (void)tg_pack_put(pack, data, size);
    }
}

#endif

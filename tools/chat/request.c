/* SPDX-License-Identifier: MIT
 * See request.h. */
#include "request.h"

#include <throng/message.h>

#include "../../server/examples/chat/protocol.h"

#define TEXTS 5

int request_pack(void *buffer, size_t capacity, uint32_t type, int32_t id, const struct ask *ask)
{
    static const char *const keys[TEXTS] = {CHAT_KEY_ROOM, CHAT_KEY_NAME, CHAT_KEY_ADDRESS,
                                            CHAT_KEY_TEXT, CHAT_KEY_TOKEN};
    const char *const texts[TEXTS] = {ask->room, ask->name, ask->address, ask->text, ask->token};
    bool is_hello = type == CHAT_HELLO;
    uint32_t count = (ask->from != 0 ? 1u : 0u) + (ask->has_seconds ? 1u : 0u) +
                     (is_hello ? 1u : 0u);
    struct throng_pack pack;
    for (int i = 0; i < TEXTS; i++) {
        count += texts[i] != NULL ? 1u : 0u;
    }
    throng_pack_to_buffer(&pack, buffer, capacity);
    throng_pack_envelope(&pack, type, id);
    throng_pack_map(&pack, count);
    for (int i = 0; i < TEXTS; i++) {
        if (texts[i] != NULL) {
            throng_pack_field_text(&pack, keys[i], texts[i]);
        }
    }
    if (ask->from != 0) {
        throng_pack_field_u64(&pack, CHAT_KEY_FROM, ask->from);
    }
    if (ask->has_seconds) {
        throng_pack_field_u64(&pack, CHAT_KEY_SECONDS, ask->seconds);
    }
    if (is_hello) {
        throng_pack_field_u64(&pack, CHAT_KEY_VERSION, CHAT_VERSION);
    }
    return (int)throng_pack_end(&pack);
}

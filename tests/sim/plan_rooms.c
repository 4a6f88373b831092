/* SPDX-License-Identifier: MIT
 * Rooms: how many, how full, and with how few references; or none. Drawn by a generator of its own,
 * which gives none to the seeds of seeds.txt: those mean what they did. */
#include "buffer/block_pool.h"
#include "game_room.h"
#include "plan_chance.h"
#include "script.h"

void plan_choose_rooms(struct plan *plan, uint64_t seed)
{
    struct tg_prng prng = {(seed + 165) * 0xa0761d6478bd642fu};
    struct throng_server_options *server = &plan->server;
    const bool wants = one_in(&prng, 3);
    server->rooms_max = between(&prng, 1, GAME_ROOMS_MAX);
    server->room_members_max = one_in(&prng, 2) ? spread(&prng, 1, 64) : 4096;
    server->rooms_per_connection = between(&prng, 1, GAME_ROOMS_MAX);
    server->room_references_max = one_in(&prng, 2) ? 64 : spread(&prng, 64, 4096);
    const uint32_t frame = server->message_bytes_max + THRONG_FRAME_HEADER_BYTES;
    const uint32_t longest = (frame + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES;
    if (server->room_references_max < longest) {
        server->room_references_max = longest;
    }
    /* Messages have to tell what they are. */
    if (wants && server->message_bytes_max >= 2 * SCRIPT_NUMBER_BYTES) {
        plan->is_numbered = true;
        plan->room_parts = spread(&prng, 4, 200);
        if (one_in(&prng, 2)) {
            server->when_send_full = THRONG_WHEN_SEND_FULL_DROP_OLDEST;
        }
    }
}

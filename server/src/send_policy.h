/* SPDX-License-Identifier: MIT
 * What becomes of a message for which there is no room: enum throng_when_send_full, of the
 * connection or of all. Logic thread. */
#ifndef TG_SERVER_SEND_POLICY_H
#define TG_SERVER_SEND_POLICY_H

#include <stddef.h>

struct throng_server;
struct tg_seat;

/* 0 if there is room for it now, and it was taken; else what throng_write_data answers. */
int tg_send_without_room(struct throng_server *server, struct tg_seat *seat, const void *data,
                         size_t size);

#endif

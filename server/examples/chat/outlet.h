/* SPDX-License-Identifier: MIT
 * The chat's outlet into a throng server. Called by main.c. */
#ifndef CHAT_OUTLET_H
#define CHAT_OUTLET_H

#include "chat.h"

struct chat_outlet chat_outlet_of(struct throng_server *server);

#endif

/* SPDX-License-Identifier: MIT
 * What the server's notices and answers say in words. Pure. */
#ifndef CHAT_NOTICES_H
#define CHAT_NOTICES_H

#include "event.h"
#include "room.h"

#define NOTICE_SIZE (EVENT_TEXT_SIZE + 512)

/* Writes the sentence for an event, "" if it has none; answers how it is to be shown. */
enum line_kind notice_text(char text[NOTICE_SIZE], const struct event *event);

#endif

/* SPDX-License-Identifier: MIT
 * The chat's options, and what follows from them. Called by main.c before the start. */
#ifndef CHAT_SETTINGS_H
#define CHAT_SETTINGS_H

#include "../program/program.h"
#include "chat.h"

/* What program_read needs. */
extern const struct program chat_program;

/* Makes settings of the options that program_read has read. Answers 0, or the exit status after a
 * line on standard error. */
int chat_settings_take(struct chat_settings *settings, const struct throng_server_options *options);

#endif

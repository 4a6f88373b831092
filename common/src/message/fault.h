/* SPDX-License-Identifier: MIT
 * Noting what is wrong with a message. Called by what reads messages; pure. */
#ifndef TG_MESSAGE_FAULT_H
#define TG_MESSAGE_FAULT_H

#include <throng/message.h>

/* Fills `fault`. Answers its code: THRONG_ETOOBIG for the kinds that are limits of ours. */
int tg_fault_set(struct throng_message_fault *fault, enum throng_message_fault_kind kind,
                 size_t offset, uint64_t value, uint64_t limit);

#endif

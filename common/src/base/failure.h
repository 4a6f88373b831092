/* SPDX-License-Identifier: MIT
 * Writes the sentences of struct throng_error. Called by both ends and by typed messages, where
 * options are checked, where a server starts and where a client connects; any thread. */
#ifndef TG_FAILURE_H
#define TG_FAILURE_H

#include <throng/error.h>

#include "base/format.h"

/* Fills `error` (may be NULL) with a code and a sentence, cut if too long. Answers the code. */
int tg_failure(struct throng_error *error, int code, const char *format, ...) TG_FORMAT(3, 4);

/* Goes on with the sentence of `error`. */
void tg_failure_append(struct throng_error *error, const char *format, ...) TG_FORMAT(2, 3);

#endif

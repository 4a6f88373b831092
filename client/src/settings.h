/* SPDX-License-Identifier: MIT
 * What the options of every client have in common, checked. Any thread. */
#ifndef TG_SETTINGS_H
#define TG_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include <throng/error.h>
#include <throng/types.h>

#include "codec/frame.h"

/* Copies the options that a program gave over the defaults in `options`. A program compiled against
 * an older header knows fewer of them: `given_size` is its struct_size. 0 or THRONG_EINVAL. */
int tg_settings_copy(void *options, size_t size, const void *given, size_t given_size,
                     struct throng_error *error);

/* Checks the frame options (message_bytes_max 0: the default). 0 or THRONG_EINVAL. */
int tg_settings_frame_rules(struct tg_frame_rules *rules, uint32_t message_bytes_max,
                            enum throng_byte_order byte_order, struct throng_error *error);

/* Checks a source address: of a known family, or none. 0 or THRONG_EINVAL. */
int tg_settings_source(const struct throng_address *source, struct throng_error *error);

#endif

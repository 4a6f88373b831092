/* SPDX-License-Identifier: MIT
 * What throng_value_... find out, with the reason why not: the fields of a body (body.c) note it. Pure. */
#ifndef TG_MESSAGE_VALUE_H
#define TG_MESSAGE_VALUE_H

#include <throng/message.h>

/* Each answers THRONG_FAULT_NONE and the value, or the fault with the output untouched. */
enum throng_message_fault_kind tg_value_u64(throng_value value, uint64_t *number);
enum throng_message_fault_kind tg_value_i64(throng_value value, int64_t *number);
enum throng_message_fault_kind tg_value_u32(throng_value value, uint32_t *number);
enum throng_message_fault_kind tg_value_f64(throng_value value, double *number);
enum throng_message_fault_kind tg_value_bool(throng_value value, bool *yes);
enum throng_message_fault_kind tg_value_string(throng_value value, const char **text, size_t *size);
enum throng_message_fault_kind tg_value_utf8(throng_value value, const char **text, size_t *size);
enum throng_message_fault_kind tg_value_bin(throng_value value, const void **data, size_t *size);

#endif

/* SPDX-License-Identifier: MIT
 * UTF-8 as RFC 3629 has it, and what may stand in a line. Pure; called by handlers.c and
 * names.c. */
#ifndef CHAT_UTF8_H
#define CHAT_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* Reads the character at `text`. Answers its bytes, 1..4; 0 if they are none: overlong, a
 * surrogate, above U+10FFFF, cut off. */
size_t utf8_read(const char *text, size_t size, uint32_t *character);

/* Writes a character; `text` has room for 4 bytes. Answers how many it took. */
size_t utf8_write(uint32_t character, char *text);

/* Whether a line, topic or reason may be so: CHAT_CODE_NONE, TOO_LONG (over `bytes_max`), BAD_UTF8
 * or BAD_CHARACTER (README.md, "Texts"). An empty one may. */
enum chat_code utf8_check_text(const char *text, size_t size, size_t bytes_max);

#endif

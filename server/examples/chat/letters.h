/* SPDX-License-Identifier: MIT
 * Letters and digits beyond ASCII, from Unicode's own tables (letters.py writes letters.c). Pure;
 * called by names.c. */
#ifndef CHAT_LETTERS_H
#define CHAT_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

/* A letter or digit that is its own compatibility form (NFKC), and can be seen. */
bool letters_has(uint32_t character);

/* A mark that a script needs after a letter, as a vowel sign of Devanagari; not an accent of
 * Latin. */
bool letters_has_mark(uint32_t character);

/* The small letter of a capital one; others as they are. */
uint32_t letters_lower(uint32_t character);

#endif

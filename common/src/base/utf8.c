/* SPDX-License-Identifier: MIT
 * UTF-8 as RFC 3629 has it. See utf8.h. */
#include "base/utf8.h"

bool tg_utf8_is_valid(const void *text, size_t size)
{
    const uint8_t *bytes = text;
    for (size_t at = 0; at < size;) {
        uint32_t character;
        size_t len = bytes[at] < 0x80 ? 1 : tg_utf8_read(bytes + at, size - at, &character);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

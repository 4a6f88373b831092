/* SPDX-License-Identifier: MIT
 * Addresses as bans see them: read, written, compared. See bans.h. (No inet_pton: it is in another
 * header on each system.) */
#include <stdio.h>
#include <string.h>

#include "bans.h"

#define WORDS 8
#define PREFIX_TEXT "/64"
#define IPV4_AT 12 /* of an IPv4 address in IPv6's form ::ffff:a.b.c.d */

static const uint8_t ipv4_prefix[IPV4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_ipv4(const struct chat_place *place)
{
    return memcmp(place->bytes, ipv4_prefix, IPV4_AT) == 0;
}

static void keep_prefix(struct chat_place *place)
{
    if (!is_ipv4(place)) {
        memset(place->bytes + 8, 0, 8);
    }
}

struct chat_place chat_place_of(const struct throng_address *address)
{
    struct chat_place place = {{0}};
    if (address->family == THRONG_ADDRESS_IPV6) {
        memcpy(place.bytes, address->bytes, sizeof(place.bytes));
        keep_prefix(&place);
    } else {
        memcpy(place.bytes, ipv4_prefix, IPV4_AT);
        memcpy(place.bytes + IPV4_AT, address->bytes, 4);
    }
    return place;
}

/* Four numbers of 0..255 and three dots, nothing else. */
static bool read_ipv4(const char *text, size_t size, uint8_t bytes[4])
{
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        unsigned value = 0;
        size_t digits = 0;
        for (; at < size && digits < 3 && text[at] >= '0' && text[at] <= '9'; at++, digits++) {
            value = value * 10 + (unsigned)(text[at] - '0');
        }
        if (digits == 0 || value > 255 || (i < 3 && (at == size || text[at++] != '.'))) {
            return false;
        }
        bytes[i] = (uint8_t)value;
    }
    return at == size;
}

static int digit_of(char letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    char small = (char)(letter | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/* Up to four hexadecimal digits. Answers how many. */
static size_t read_word(const char *text, size_t size, unsigned *word)
{
    size_t at = 0;
    *word = 0;
    while (at < size && at < 4 && digit_of(text[at]) >= 0) {
        *word = *word << 4 | (unsigned)digit_of(text[at]);
        at++;
    }
    return at;
}

/* Words and colons; "::" once stands for the zeros that are missing. */
static bool read_ipv6(const char *text, size_t size, uint8_t bytes[16])
{
    unsigned words[WORDS] = {0};
    size_t count = 0;
    size_t gap = WORDS + 1; /* none */
    size_t at = 0;
    if (size >= 2 && text[0] == ':' && text[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < size) {
        size_t digits = count < WORDS ? read_word(text + at, size - at, &words[count]) : 0;
        if (digits == 0) {
            return false;
        }
        count++;
        at += digits;
        if (at == size) {
            break;
        }
        if (text[at++] != ':' || at == size) {
            return false;
        }
        if (text[at] == ':') {
            if (gap <= WORDS) {
                return false;
            }
            gap = count;
            at++;
        }
    }
    if (gap > WORDS ? count != WORDS : count == WORDS) {
        return false;
    }
    memset(bytes, 0, 16);
    for (size_t i = 0; i < count; i++) {
        size_t place = i < gap ? i : WORDS - count + i;
        bytes[place * 2] = (uint8_t)(words[i] >> 8);
        bytes[place * 2 + 1] = (uint8_t)words[i];
    }
    return true;
}

bool chat_place_read(struct chat_place *place, const char *text, size_t size)
{
    struct chat_place read = {{0}};
    const size_t suffix = sizeof(PREFIX_TEXT) - 1;
    if (size > suffix && memcmp(text + size - suffix, PREFIX_TEXT, suffix) == 0) {
        size -= suffix; /* as chat_place_text writes it */
        if (memchr(text, ':', size) == NULL) {
            return false;
        }
    }
    memcpy(read.bytes, ipv4_prefix, IPV4_AT);
    if (!read_ipv4(text, size, read.bytes + IPV4_AT) && !read_ipv6(text, size, read.bytes)) {
        return false;
    }
    keep_prefix(&read);
    *place = read;
    return true;
}

char *chat_place_text(const struct chat_place *place, char *text)
{
    const uint8_t *bytes = place->bytes;
    if (is_ipv4(place)) {
        (void)snprintf(text, CHAT_PLACE_TEXT_SIZE, "%u.%u.%u.%u", bytes[12], bytes[13], bytes[14],
                       bytes[15]);
    } else {
        (void)snprintf(text, CHAT_PLACE_TEXT_SIZE, "%x:%x:%x:%x::" PREFIX_TEXT,
                       bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3], bytes[4] << 8 | bytes[5],
                       bytes[6] << 8 | bytes[7]);
    }
    return text;
}

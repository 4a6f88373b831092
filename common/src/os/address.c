/* SPDX-License-Identifier: MIT
 * Texts of addresses and endpoints, without a system call or a look-up: what a user writes in
 * --listen and --connect, and what throng prints. Any thread. */
#include "os/socket.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/failure.h"

#define SCHEME "tcp://"
#define SCHEME_SIZE (sizeof(SCHEME) - 1)
#define HOST_NAME_MAX_SIZE 253 /* RFC 1035, 2.3.4, as text */
#define IPV6_GROUPS 8

/* --- numbers ------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A decimal number in 0..max that fills text[0..size) without a leading zero. */
static bool parse_decimal(const char *text, size_t size, uint32_t max, uint32_t *number)
{
    if (size == 0 || size > 10 || (size > 1 && text[0] == '0')) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(text[i])) {
            return false;
        }
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    if (value > max) {
        return false;
    }
    *number = (uint32_t)value;
    return true;
}

static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* --- numeric addresses --------------------------------------------------------------------- */

/* Four decimal parts without leading zeros: some systems read 010 as eight. */
static bool parse_ipv4(const char *text, size_t size, uint8_t *bytes)
{
    size_t begin = 0;
    for (int part = 0; part < 4; part++) {
        size_t end = begin;
        while (end < size && text[end] != '.') {
            end++;
        }
        uint32_t value;
        bool last = part == 3;
        if (!parse_decimal(text + begin, end - begin, 255, &value) || last != (end == size)) {
            return false;
        }
        bytes[part] = (uint8_t)value;
        begin = end + 1;
    }
    return true;
}

/* One group of one to four hexadecimal digits at text[*at]. */
static bool parse_group(const char *text, size_t size, size_t *at, uint8_t *bytes)
{
    uint32_t value = 0;
    size_t begin = *at;
    while (*at < size && *at - begin < 4 && hex_value(text[*at]) >= 0) {
        value = value << 4 | (uint32_t)hex_value(text[*at]);
        (*at)++;
    }
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
    return *at > begin;
}

/* Groups up to "::" or the end; the last two may be written as an IPv4 address. Answers the number
 * of groups, and in *at where it stopped; -1 if the text is none. */
static int parse_groups(const char *text, size_t size, size_t *at, uint8_t *bytes, int groups_max)
{
    int groups = 0;
    while (*at < size && groups < groups_max) {
        if (text[*at] == ':') {
            return groups == 0 ? 0 : -1; /* "::" at the front; after a group it is seen below */
        }
        if (groups + 2 <= groups_max && parse_ipv4(text + *at, size - *at, bytes + groups * 2)) {
            *at = size;
            return groups + 2;
        }
        if (!parse_group(text, size, at, bytes + groups * 2)) {
            return -1;
        }
        groups++;
        if (*at == size) {
            return groups;
        }
        if (text[*at] != ':') {
            return -1;
        }
        if (*at + 1 < size && text[*at + 1] == ':') {
            return groups; /* stopped at "::" */
        }
        (*at)++;
        if (*at == size) {
            return -1; /* a single colon at the end */
        }
    }
    return *at == size ? groups : -1;
}

/* RFC 4291, 2.2: eight groups, or fewer with one "::" for at least one group of zeros. */
static bool parse_ipv6(const char *text, size_t size, uint8_t *bytes)
{
    uint8_t tail[16] = {0};
    size_t at = 0;
    memset(bytes, 0, 16);
    int front = parse_groups(text, size, &at, bytes, IPV6_GROUPS);
    if (front < 0) {
        return false;
    }
    if (at == size) {
        return front == IPV6_GROUPS;
    }
    if (at + 2 > size || text[at] != ':' || text[at + 1] != ':') {
        return false;
    }
    at += 2;
    if (at < size && text[at] == ':') {
        return false;
    }
    int back = 0;
    if (at < size) {
        back = parse_groups(text, size, &at, tail, IPV6_GROUPS - 1 - front);
        if (back <= 0 || at != size) {
            return false;
        }
    }
    if (front + back >= IPV6_GROUPS) {
        return false;
    }
    memcpy(bytes + 16 - back * 2, tail, (size_t)back * 2);
    return true;
}

int tg_address_parse_numeric(const char *host, uint16_t port, struct throng_address *address)
{
    struct throng_address parsed = {.port = port};
    size_t size = strlen(host);
    if (parse_ipv4(host, size, parsed.bytes)) {
        parsed.family = THRONG_ADDRESS_IPV4;
        *address = parsed;
        return 0;
    }
    /* "%3" names an interface by number. Names such as "%eth0" need the system: see
     * tg_address_resolve. */
    const char *scope = strchr(host, '%');
    if (scope != NULL) {
        if (!parse_decimal(scope + 1, strlen(scope + 1), UINT32_MAX, &parsed.scope_id)) {
            return THRONG_EINVAL;
        }
        size = (size_t)(scope - host);
    }
    if (!parse_ipv6(host, size, parsed.bytes)) {
        return THRONG_EINVAL;
    }
    parsed.family = THRONG_ADDRESS_IPV6;
    *address = parsed;
    return 0;
}

/* --- endpoints ----------------------------------------------------------------------------- */

static int refuse_endpoint(struct throng_error *error, const char *text, const char *why)
{
    return tg_failure(error, THRONG_EINVAL, "\"%.200s\" %s", text, why);
}

static bool is_host_name(const char *host, size_t size)
{
    if (size == 0 || size > HOST_NAME_MAX_SIZE) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char c = host[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !is_digit(c) && c != '-' && c != '.' && c != '_') {
            return false;
        }
    }
    return true;
}

/* The inside of the brackets: an IPv6 address, with a scope or not. */
static bool is_ipv6_host(const char *host, size_t size)
{
    uint8_t bytes[16];
    const char *scope = memchr(host, '%', size);
    if (scope == NULL) {
        return parse_ipv6(host, size, bytes);
    }
    size_t scope_size = size - (size_t)(scope + 1 - host);
    return scope_size <= 15 && is_host_name(scope + 1, scope_size) &&
           parse_ipv6(host, (size_t)(scope - host), bytes);
}

int tg_endpoint_parse(const char *text, char *host, uint16_t *port, struct throng_error *error)
{
    if (strncmp(text, SCHEME, SCHEME_SIZE) != 0) {
        return refuse_endpoint(error, text, "does not begin with tcp://");
    }
    const char *begin = text + SCHEME_SIZE;
    const char *colon = strrchr(begin, ':');
    const char *bracket = strrchr(begin, ']');
    if (colon == NULL || (bracket != NULL && colon < bracket)) {
        return refuse_endpoint(error, text, "has no port: tcp://HOST:PORT is expected");
    }
    uint32_t number;
    if (!parse_decimal(colon + 1, strlen(colon + 1), UINT16_MAX, &number)) {
        return refuse_endpoint(error, text, "has a port that is not a number in 0..65535");
    }
    size_t size = (size_t)(colon - begin);
    if (begin[0] == '[') {
        if (bracket == NULL || bracket + 1 != colon || !is_ipv6_host(begin + 1, size - 2)) {
            return refuse_endpoint(error, text, "has no IPv6 address in its brackets");
        }
        begin++;
        size -= 2;
    } else if (memchr(begin, ':', size) != NULL) {
        return refuse_endpoint(error, text, "has an IPv6 address without brackets: tcp://[::1]:0");
    } else if (!(size == 1 && begin[0] == '*') && !is_host_name(begin, size)) {
        return refuse_endpoint(error, text, "has no host: an address, a name or * is expected");
    }
    memcpy(host, begin, size);
    host[size] = '\0';
    *port = (uint16_t)number;
    return 0;
}

/* --- text ---------------------------------------------------------------------------------- */

/* The longest run of zero groups, the first of equals; none shorter than two (RFC 5952, 4.2). */
static void find_zero_run(const uint8_t *bytes, int *run_begin, int *run_size)
{
    *run_begin = -1;
    *run_size = 1;
    int size = 0;
    for (int group = 0; group < IPV6_GROUPS; group++) {
        bool zero = bytes[group * 2] == 0 && bytes[group * 2 + 1] == 0;
        size = zero ? size + 1 : 0;
        if (size > *run_size) {
            *run_size = size;
            *run_begin = group + 1 - size;
        }
    }
}

static size_t write_ipv6(const struct throng_address *address, char *text, size_t capacity)
{
    int run_begin;
    int run_size;
    size_t used = 0;
    find_zero_run(address->bytes, &run_begin, &run_size);
    for (int group = 0; group < IPV6_GROUPS; group++) {
        int written;
        if (group == run_begin) {
            written = snprintf(text + used, capacity - used, "::");
            group += run_size - 1;
        } else {
            const uint8_t *bytes = address->bytes + group * 2;
            bool first = group == 0 || group == run_begin + run_size;
            written = snprintf(text + used, capacity - used, first ? "%x" : ":%x",
                               (unsigned)bytes[0] << 8 | bytes[1]);
        }
        used += (size_t)written;
    }
    if (address->scope_id != 0) {
        used += (size_t)snprintf(text + used, capacity - used, "%%%u", (unsigned)address->scope_id);
    }
    return used;
}

char *throng_address_text(const struct throng_address *address, char *text)
{
    const uint8_t *bytes = address->bytes;
    if (address->family == THRONG_ADDRESS_IPV4) {
        (void)snprintf(text, THRONG_ADDRESS_TEXT_SIZE, "tcp://%u.%u.%u.%u:%u", bytes[0], bytes[1],
                       bytes[2], bytes[3], address->port);
        return text;
    }
    if (address->family != THRONG_ADDRESS_IPV6) {
        (void)snprintf(text, THRONG_ADDRESS_TEXT_SIZE, "tcp://?");
        return text;
    }
    size_t used = (size_t)snprintf(text, THRONG_ADDRESS_TEXT_SIZE, "tcp://[");
    used += write_ipv6(address, text + used, THRONG_ADDRESS_TEXT_SIZE - used);
    (void)snprintf(text + used, THRONG_ADDRESS_TEXT_SIZE - used, "]:%u", address->port);
    TG_ENSURE(used + strlen("]:65535") < THRONG_ADDRESS_TEXT_SIZE);
    return text;
}

/* --- of a connection ------------------------------------------------------------------------- */

int tg_socket_addresses(tg_socket sock, struct throng_address *peer, struct throng_address *local)
{
    struct throng_address asked_peer;
    struct throng_address asked_local;
    int error = tg_socket_peer_address(sock, &asked_peer);
    if (error == 0) {
        error = tg_socket_local_address(sock, &asked_local);
    }
    if (error != 0) {
        return error;
    }
    if (peer != NULL) {
        *peer = asked_peer;
    }
    if (local != NULL) {
        *local = asked_local;
    }
    return 0;
}

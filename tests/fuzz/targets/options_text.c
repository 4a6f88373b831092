/* SPDX-License-Identifier: MIT
 * Endpoints and addresses: what is accepted says just what was written, what is refused leaves
 * everything as it was, and numeric addresses mean what the C library says. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "os/socket.h"

#define HOST_MAX 253u /* RFC 1035, 2.3.4, as text */

static char memory[FUZZ_TEXT_MAX + 1];

const char *fuzz_text(struct fuzz_script *script)
{
    const uint8_t *bytes;
    size_t size = fuzz_bytes(script, FUZZ_TEXT_MAX, &bytes);
    /* At the end of its memory, so that a sanitizer sees a look behind the NUL. */
    char *text = memory + FUZZ_TEXT_MAX - size;
    memcpy(text, bytes, size);
    memory[FUZZ_TEXT_MAX] = '\0';
    return text;
}

static void check_refusal(const struct throng_error *error, int result)
{
    FUZZ_CHECK(result == THRONG_EINVAL && error->code == THRONG_EINVAL);
    FUZZ_CHECK(error->text[0] != '\0');
    FUZZ_CHECK(memchr(error->text, '\0', sizeof(error->text)) != NULL);
}

/* The C library's opinion of a numeric address without a scope. */
static enum throng_address_family ask_library(const char *host, uint8_t bytes[16])
{
    memset(bytes, 0, 16);
    if (inet_pton(AF_INET, host, bytes) == 1) {
        return THRONG_ADDRESS_IPV4;
    }
    return inet_pton(AF_INET6, host, bytes) == 1 ? THRONG_ADDRESS_IPV6 : THRONG_ADDRESS_NONE;
}

/* An address, written and read again, is the same. */
static void check_round_trip(const struct throng_address *address)
{
    char text[THRONG_ADDRESS_TEXT_SIZE];
    char host[TG_ENDPOINT_TEXT_SIZE];
    struct throng_address again;
    uint16_t port = 0;
    FUZZ_CHECK(throng_address_text(address, text) == text);
    FUZZ_CHECK(tg_endpoint_parse(text, host, &port, NULL) == 0);
    FUZZ_CHECK(port == address->port);
    FUZZ_CHECK(tg_address_parse_numeric(host, port, &again) == 0);
    FUZZ_CHECK(memcmp(&again, address, sizeof(again)) == 0);
}

void fuzz_numeric_address(struct fuzz_script *script)
{
    struct throng_address address;
    uint8_t expected[16];
    uint16_t port = (uint16_t)fuzz_pair(script);
    const char *host = fuzz_text(script);
    memset(&address, 0xee, sizeof(address));
    struct throng_address before = address;
    int result = tg_address_parse_numeric(host, port, &address);
    if (strchr(host, '%') == NULL) {
        enum throng_address_family family = ask_library(host, expected);
        FUZZ_CHECK((result == 0) == (family != THRONG_ADDRESS_NONE));
        FUZZ_CHECK(result < 0 || address.family == family);
        FUZZ_CHECK(result < 0 || memcmp(address.bytes, expected, sizeof(expected)) == 0);
    }
    if (result < 0) {
        FUZZ_CHECK(result == THRONG_EINVAL && memcmp(&address, &before, sizeof(before)) == 0);
        return;
    }
    FUZZ_CHECK(address.port == port && address.reserved == 0);
    check_round_trip(&address);
}

void fuzz_address_bytes(struct fuzz_script *script)
{
    static const uint8_t families[4] = {THRONG_ADDRESS_NONE, THRONG_ADDRESS_IPV4,
                                        THRONG_ADDRESS_IPV6, 9};
    struct throng_address address = {.family = families[fuzz_byte(script) & 3]};
    const uint8_t *bytes;
    char text[THRONG_ADDRESS_TEXT_SIZE];
    char library_text[INET6_ADDRSTRLEN];
    char expected[THRONG_ADDRESS_TEXT_SIZE];
    bool is_ipv6 = address.family == THRONG_ADDRESS_IPV6;
    address.port = (uint16_t)fuzz_pair(script);
    address.scope_id = is_ipv6 && (address.port & 1) != 0 ? fuzz_pair(script) << 16 : 0;
    size_t size = fuzz_bytes(script, is_ipv6 ? 16 : 4, &bytes);
    memcpy(address.bytes, bytes, size);
    if (!is_ipv6 && address.family != THRONG_ADDRESS_IPV4) {
        FUZZ_CHECK(strcmp(throng_address_text(&address, text), "tcp://?") == 0);
        return;
    }
    check_round_trip(&address);
    (void)inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, address.bytes, library_text,
                    sizeof(library_text));
    if (is_ipv6 && (address.scope_id != 0 || strchr(library_text, '.') != NULL)) {
        return; /* the library writes the IPv4 inside of some as IPv4 */
    }
    (void)snprintf(expected, sizeof(expected), is_ipv6 ? "tcp://[%s]:%u" : "tcp://%s:%u",
                   library_text, (unsigned)address.port);
    FUZZ_CHECK(strcmp(throng_address_text(&address, text), expected) == 0);
}

/* What was accepted is "tcp://", the host (an IPv6 address in brackets), ":" and the port. */
static void check_accepted(const char *text, const char *host, uint16_t port)
{
    char again[TG_ENDPOINT_TEXT_SIZE + 16];
    struct throng_address address;
    bool is_ipv6 = strchr(host, ':') != NULL;
    FUZZ_CHECK(memchr(host, '\0', TG_ENDPOINT_TEXT_SIZE) != NULL);
    FUZZ_CHECK(host[0] != '\0' && strlen(host) <= HOST_MAX);
    (void)snprintf(again, sizeof(again), is_ipv6 ? "tcp://[%s]:%u" : "tcp://%s:%u", host,
                   (unsigned)port);
    FUZZ_CHECK(strcmp(again, text) == 0);
    if (is_ipv6 && strchr(host, '%') == NULL) {
        FUZZ_CHECK(tg_address_parse_numeric(host, port, &address) == 0);
        FUZZ_CHECK(address.family == THRONG_ADDRESS_IPV6);
    }
    FUZZ_CHECK(strcspn(host, " /\\@[]\"'<>\t\n") == strlen(host));
}

void fuzz_endpoint(struct fuzz_script *script)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    struct throng_error error;
    uint16_t port = 0xabcd;
    const char *text = fuzz_text(script);
    host[0] = '?';
    error.text[sizeof(error.text) - 1] = '?';
    int result = tg_endpoint_parse(text, host, &port, &error);
    if (result == 0) {
        check_accepted(text, host, port);
        return;
    }
    check_refusal(&error, result);
    FUZZ_CHECK(host[0] == '?' && port == 0xabcd);
    FUZZ_CHECK(tg_endpoint_parse(text, host, &port, NULL) == result);
}

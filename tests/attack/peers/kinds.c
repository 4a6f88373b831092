/* SPDX-License-Identifier: MIT
 * The kinds of hostile peers, and the table of them. */
#include "peers.h"

#include <stdio.h>
#include <string.h>

static const char join_message[] = "\0\0\0\x09\xff"
                                   "ATK join";

static void put_length(uint8_t *to, uint32_t length)
{
    for (int i = 3; i >= 0; i--, length >>= 8) {
        to[i] = (uint8_t)length;
    }
}

static uint64_t next_random(struct crowd *crowd)
{
    crowd->random ^= crowd->random << 13;
    crowd->random ^= crowd->random >> 7;
    crowd->random ^= crowd->random << 17;
    return crowd->random;
}

static void send_text(struct crowd *crowd, struct peer *peer, const char *text)
{
    (void)peer_send(crowd, peer, text, strlen(text));
}

/* Sends messages of `size` bytes, `at_once` bytes of them, wherever the last one was cut. False:
 * there was no room for all. */
static bool pour(struct crowd *crowd, struct peer *peer, uint32_t size, size_t at_once)
{
    static uint8_t bytes[2 * 65536];
    size_t frame = (size_t)size + 4;
    size_t at = peer->sent % frame;
    size_t count = at_once / frame > 0 ? at_once / frame : 1;
    for (size_t i = 0; i < count; i++) {
        put_length(bytes + i * frame, size);
        memset(bytes + i * frame + 4, 'f', size);
    }
    return peer_send(crowd, peer, bytes + at, count * frame - at) == count * frame - at;
}

/* The same until there is no room. One event says that there is some, and none that there still
 * is. */
static void pour_all(struct crowd *crowd, struct peer *peer, size_t at_once)
{
    for (int i = 0; i < 1024 && pour(crowd, peer, crowd->options.size, at_once); i++) {
        /* more */
    }
}

/* ---- those who do not read ---- */

static void ask_for_output(struct crowd *crowd, struct peer *peer)
{
    if (crowd->options.join) {
        if (peer->sent == 0) {
            (void)peer_send(crowd, peer, join_message, sizeof(join_message) - 1);
        }
    } else {
        pour_all(crowd, peer, 16384);
    }
}

static void read_a_byte(struct crowd *crowd, struct peer *peer)
{
    peer_read(crowd, peer, 1);
}

/* ---- those who send too much ---- */

static void flood(struct crowd *crowd, struct peer *peer)
{
    (void)pour(crowd, peer, crowd->options.size, 65536);
}

static void flood_deaf(struct crowd *crowd, struct peer *peer)
{
    pour_all(crowd, peer, 65536);
}

/* ---- those who send too slowly ---- */

/* The bytes of a message of `size` bytes, one after the other. */
static void drip(struct crowd *crowd, struct peer *peer, uint32_t size)
{
    uint8_t header[4];
    put_length(header, size);
    uint64_t at = peer->sent % (size + 4u);
    (void)peer_send(crowd, peer, at < 4 ? &header[at] : (const uint8_t *)"d", 1);
}

static void drip_header(struct crowd *crowd, struct peer *peer)
{
    drip(crowd, peer, 1000);
}

static void send_header(struct crowd *crowd, struct peer *peer)
{
    uint8_t header[4];
    put_length(header, 1000);
    (void)peer_send(crowd, peer, header, sizeof(header));
}

static void one_message(struct crowd *crowd, struct peer *peer)
{
    (void)pour(crowd, peer, 8, 12);
}

/* ---- those who speak something else ---- */

static void send_garbage(struct crowd *crowd, struct peer *peer)
{
    uint64_t bytes[32];
    for (size_t i = 0; i < 32; i++) {
        bytes[i] = next_random(crowd);
    }
    (void)peer_send(crowd, peer, bytes, sizeof(bytes));
}

static void send_http(struct crowd *crowd, struct peer *peer)
{
    send_text(crowd, peer, "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8.0\r\n\r\n");
}

/* The beginning of a TLS 1.3 ClientHello. */
static void send_tls(struct crowd *crowd, struct peer *peer)
{
    static const uint8_t hello[64] = {0x16, 0x03, 0x01, 0x00, 0xf8, 0x01,
                                      0x00, 0x00, 0xf4, 0x03, 0x03};
    (void)peer_send(crowd, peer, hello, sizeof(hello));
}

static void send_ssh(struct crowd *crowd, struct peer *peer)
{
    send_text(crowd, peer, "SSH-2.0-OpenSSH_9.2p1\r\n");
}

/* ---- those who lie about lengths ---- */

static void lie_over(struct crowd *crowd, struct peer *peer)
{
    const uint32_t lengths[] = {crowd->options.message_max + 1, 0x7fffffffu, 0x80000000u,
                                0xfffffffcu, 0xffffffffu};
    uint8_t bytes[14] = {0};
    put_length(bytes, lengths[peer->index % 5]);
    (void)peer_send(crowd, peer, bytes, sizeof(bytes));
}

static void claim_most(struct crowd *crowd, struct peer *peer)
{
    uint8_t bytes[14] = {0};
    put_length(bytes, crowd->options.message_max);
    (void)peer_send(crowd, peer, bytes, sizeof(bytes));
}

/* ---- those who go ---- */

static void talk_and_half_close(struct crowd *crowd, struct peer *peer)
{
    one_message(crowd, peer);
    peer_half_close(peer);
}

static void cut_a_message(struct crowd *crowd, struct peer *peer)
{
    send_header(crowd, peer);
    (void)peer_send(crowd, peer, "cut", 3);
}

static void reset_at_once(struct crowd *crowd, struct peer *peer)
{
    cut_a_message(crowd, peer);
    peer_close(crowd, peer, true);
}

static void reset_silently(struct crowd *crowd, struct peer *peer)
{
    peer_close(crowd, peer, true);
}

static const struct kind kinds[] = {
    {.name = "nothing", .text = "connects and stays silent", .reads = true},
    {.name = "never-read",
     .text = "asks for output (echoes; the room with --join), reads none",
     .begin = ask_for_output,
     .writable = ask_for_output},
    {.name = "slow-read",
     .text = "the same, and reads a byte per 100 ms",
     .begin = ask_for_output,
     .writable = ask_for_output,
     .tick = read_a_byte,
     .period_ms = 100},
    {.name = "flood",
     .text = "messages of --size bytes at full speed, pipelined; reads",
     .begin = flood,
     .writable = flood,
     .reads = true},
    {.name = "flood-deaf",
     .text = "the same, and does not read",
     .begin = flood_deaf,
     .writable = flood_deaf},
    {.name = "slow-header",
     .text = "a byte per 4 s, from the header's first on",
     .begin = drip_header,
     .tick = drip_header,
     .reads = true,
     .period_ms = 4000},
    {.name = "slow-body",
     .text = "a header, then a byte per 9 s",
     .begin = send_header,
     .tick = drip_header,
     .reads = true,
     .period_ms = 9000},
    {.name = "one-message",
     .text = "one message, then silence",
     .begin = one_message,
     .reads = true},
    {.name = "garbage", .text = "256 bytes of chance", .begin = send_garbage, .reads = true},
    {.name = "http", .text = "an HTTP request", .begin = send_http, .reads = true},
    {.name = "tls", .text = "a TLS ClientHello", .begin = send_tls, .reads = true},
    {.name = "ssh", .text = "an SSH banner", .begin = send_ssh, .reads = true},
    {.name = "lie-over",
     .text = "lengths over the limit, up to 0xffffffff",
     .begin = lie_over,
     .reads = true},
    {.name = "claim-most",
     .text = "the longest allowed length and ten bytes",
     .begin = claim_most,
     .reads = true},
    {.name = "half-close",
     .text = "a message, our end, then reads to the server's",
     .begin = talk_and_half_close,
     .reads = true},
    {.name = "cut",
     .text = "a part of a message, then silence",
     .begin = cut_a_message,
     .reads = true},
    {.name = "rst",
     .text = "a part of a message and a reset",
     .begin = reset_at_once,
     .reads = true},
    {.name = "rst-silent", .text = "a reset at once", .begin = reset_silently, .reads = true},
};

const struct kind *kind_named(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

void kinds_print(void)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        (void)printf("  %-12s %s\n", kinds[i].name, kinds[i].text);
    }
}

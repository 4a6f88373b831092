/* SPDX-License-Identifier: MIT
 * What the probe sends, and what it may get. An echo begins with 'E', the client's number and the
 * message's; a broadcast (tests/attack/server/room.c) with its number, so with 0; an empty message
 * is a heartbeat. */
#include "probe.h"

#include <string.h>
#include <sys/socket.h>

#define STAMP_BYTES 13u
#define ROUND_BYTES_MIN 16u

static void put_number(uint8_t *to, uint64_t number, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, number >>= 8) {
        to[i] = (uint8_t)number;
    }
}

static uint64_t get_number(const uint8_t *from, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++) {
        number = number << 8 | from[i];
    }
    return number;
}

static void fill(uint8_t *to, uint32_t size, uint64_t seed)
{
    for (uint32_t i = 0; i < size; i++) {
        to[i] = (uint8_t)(seed + i);
    }
}

static bool is_filled(const uint8_t *bytes, uint32_t size, uint64_t seed)
{
    for (uint32_t i = 0; i < size; i++) {
        if (bytes[i] != (uint8_t)(seed + i)) {
            return false;
        }
    }
    return true;
}

void message_make(const struct probe *probe, const struct client *client, uint64_t number,
                  uint8_t *to)
{
    uint32_t size = probe->options.size;
    put_number(to, size, 4);
    to[4] = 'E';
    put_number(to + 5, client->index, 4);
    put_number(to + 9, number, 8);
    fill(to + 4 + STAMP_BYTES, size - STAMP_BYTES, number + client->index);
}

uint64_t message_due_at(const struct probe *probe, const struct client *client, uint64_t number)
{
    uint64_t hellos = probe->options.hello ? 1 : 0;
    if (probe->options.rate == 0 || number < hellos) {
        return 0;
    }
    uint64_t place = (number - hellos) * probe->options.connections + client->index;
    return probe->start + place * 1000000000u / probe->options.rate;
}

/* Answers must come in the order of the messages. */
static void judge_echo(struct probe *probe, struct client *client, const uint8_t *payload,
                       uint32_t size)
{
    struct totals *totals = &probe->totals;
    uint64_t number = client->received++;
    totals->received++;
    if (size != probe->options.size || get_number(payload + 1, 4) != client->index ||
        get_number(payload + 5, 8) != number ||
        !is_filled(payload + STAMP_BYTES, size - STAMP_BYTES, number + client->index)) {
        totals->corrupted++;
        return;
    }
    uint64_t due_at = message_due_at(probe, client, number);
    if (due_at > 0) {
        histogram_add(&totals->latency, probe->now > due_at ? probe->now - due_at : 0);
    }
    if (!client->back) {
        client->back = true;
        probe->back++;
    }
}

static void judge_broadcast(struct probe *probe, struct client *client, const uint8_t *payload,
                            uint32_t size)
{
    struct totals *totals = &probe->totals;
    uint64_t number = get_number(payload, 8);
    uint64_t made_at = get_number(payload + 8, 8);
    bool expected = client->round == UINT64_MAX || number == client->round;
    if (number > client->round && client->round != UINT64_MAX) {
        totals->gaps += number - client->round;
        expected = probe->options.gaps;
    }
    totals->broadcasts++;
    client->broadcasts++;
    client->round = number + 1;
    if (!expected ||
        !is_filled(payload + ROUND_BYTES_MIN, size - ROUND_BYTES_MIN, number + ROUND_BYTES_MIN)) {
        totals->broadcasts_corrupted++;
    }
    histogram_add(&totals->broadcast_latency, probe->now > made_at ? probe->now - made_at : 0);
    probe->full += client->broadcasts == probe->options.expect;
}

/* A heartbeat is answered, if we take part in that, by an empty message. There is nearly always
 * room for four bytes; if not, our messages show that we live. */
static void on_heartbeat(struct probe *probe, struct client *client)
{
    probe->totals.heartbeats++;
    if (probe->options.pulse && client->offset == 0) {
        (void)send(client->descriptor, "\0\0\0\0", 4, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

void message_judge(struct probe *probe, struct client *client, const uint8_t *payload,
                   uint32_t size)
{
    probe->progress_at = probe->now;
    if (size == 0) {
        on_heartbeat(probe, client);
    } else if (size >= STAMP_BYTES && payload[0] == 'E') {
        judge_echo(probe, client, payload, size);
    } else if (size >= ROUND_BYTES_MIN && payload[0] == 0) {
        judge_broadcast(probe, client, payload, size);
    } else {
        probe->totals.corrupted++;
    }
}

/* SPDX-License-Identifier: MIT
 * The two runs of the probe: a steady talk, and a storm of reconnects. */
#include "probe.h"

#include <stdio.h>

#define CONNECT_LIMIT_NS 60000000000u
#define ROUND_LIMIT_NS 60000000000u

static void say(const char *word)
{
    (void)puts(word);
    (void)fflush(stdout);
}

/* Lets those come who are away and may try again, at most `most` of them. */
static void connect_some(struct probe *probe, uint64_t most)
{
    for (uint32_t i = 0; i < probe->options.connections && most > 0; i++) {
        struct client *client = &probe->clients[i];
        if (client->state == STATE_AWAY && probe->now >= client->retry_at) {
            most--;
            if (!client_connect(probe, client)) {
                return;
            }
        }
    }
}

static bool all_are_up(const struct probe *probe)
{
    uint32_t count = probe->options.connections;
    return probe->up == count && (!probe->options.hello || probe->back == count);
}

static bool connect_all(struct probe *probe)
{
    uint64_t start = now_ns();
    uint64_t dialled = 0;
    probe->now = start;
    for (uint32_t i = 0; probe->options.hello && i < probe->options.connections; i++) {
        probe->clients[i].due = 1;
    }
    while (!all_are_up(probe) && probe->now - start < CONNECT_LIMIT_NS) {
        uint64_t allowed = 1 + (probe->now - start) / 1000 * probe->options.connect_rate / 1000000;
        uint64_t most = allowed > dialled ? allowed - dialled : 0;
        connect_some(probe, most);
        dialled += most;
        probe_turn(probe, 2);
    }
    return all_are_up(probe);
}

/* ---- talk ---- */

/* Messages whose time has come. Answers ms until the next one. */
static int issue(struct probe *probe)
{
    const struct options *options = &probe->options;
    if (options->rate == 0) {
        return 10;
    }
    uint64_t due = 1 + (probe->now - probe->start) * options->rate / 1000000000u;
    for (; probe->issued < due; probe->issued++) {
        struct client *client = &probe->clients[probe->issued % options->connections];
        client->due++;
        client_send(probe, client);
    }
    uint64_t next_at = probe->start + probe->issued * 1000000000u / options->rate;
    return next_at > probe->now + 1000000 ? (int)((next_at - probe->now) / 1000000) : 1;
}

static bool everything_came(const struct probe *probe)
{
    const struct options *options = &probe->options;
    for (uint32_t i = 0; i < options->connections; i++) {
        const struct client *client = &probe->clients[i];
        if (client->state == STATE_UP && client->received < client->due) {
            return false;
        }
    }
    return options->expect == 0 || probe->full == options->connections;
}

static void drain(struct probe *probe)
{
    probe->progress_at = probe->now;
    while (!everything_came(probe) &&
           probe->now - probe->progress_at < probe->options.drain_ms * 1000000ull) {
        probe_turn(probe, 5);
    }
}

bool talk(struct probe *probe)
{
    bool all = connect_all(probe);
    say(all ? "up" : "not all are up");
    probe->start = probe->now = now_ns();
    uint64_t end = probe->start + (uint64_t)(probe->options.seconds * 1e9);
    uint64_t looked_at = probe->start;
    while (probe->now < end) {
        int wait_ms = issue(probe);
        probe_turn(probe, wait_ms < 10 ? wait_ms : 10);
        if (probe->options.expect > 0 && probe->full == probe->options.connections) {
            break;
        }
        if (probe->now - looked_at > 20000000) {
            looked_at = probe->now;
            if (told_to_stop()) {
                break;
            }
        }
    }
    drain(probe);
    return all;
}

/* ---- storm ---- */

static void begin_round(struct probe *probe)
{
    probe->back = 0;
    for (uint32_t i = 0; i < probe->options.connections; i++) {
        struct client *client = &probe->clients[i];
        client_leave(probe, client, true);
        client->back = false;
        client->sent = client->received = 0;
        client->due = 1;
        client->retry_at = 0;
    }
}

void storm(struct probe *probe)
{
    probe->options.rate = 0; /* nothing is due: it is the rounds that are timed */
    say("up");
    (void)printf("{\"rounds\": [");
    for (uint32_t round = 0; round < probe->options.rounds && !told_to_stop(); round++) {
        begin_round(probe);
        uint64_t start = now_ns();
        probe->now = start;
        while (probe->back < probe->options.connections && probe->now - start < ROUND_LIMIT_NS) {
            connect_some(probe, 512);
            probe_turn(probe, 1);
        }
        (void)printf("%s{\"back\": %u, \"seconds\": %.3f}", round == 0 ? "" : ", ", probe->back,
                     (double)(probe->now - start) / 1e9);
    }
    (void)printf("], ");
}

/* SPDX-License-Identifier: MIT
 * Whole connections: a server in inline mode on the simulated port, and four peers, driven by a
 * script of what both do, with the faults that the script asks for. Every message is held against
 * what a naive parser reads in the bytes that the peer sent, every byte downward against what was
 * accepted. The server lives for the whole process; in the end of each run all connections are
 * gone, and all memory is home.
 *
 *   byte 0-1  faults, a bit each
 *   byte 2    the seed of their chance
 *   3 ...     operations: bits 0-3 what, bits 4-5 which peer, bits 6-7 of what kind; then arguments */
#include <string.h>

#include "connection.h"
#include "fuzz.h"

#include "sim/net.h"
#include "sim/sim.h"

#define STEPS_MAX 4000u

static struct throng_server *server;

static void log_nothing(void *context, enum throng_log_level level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
}

/* Small in every respect, so that short scripts reach every limit. */
static void start_server(void)
{
    const struct tg_sim_options world = {
        .seed = 1, .delay_ns = 300, .pipe_bytes = 1500, .sockets_max = 64, .steps_max = UINT64_MAX};
    struct throng_server_options options;
    tg_sim_open(&world);
    tg_net_open(world.sockets_max, world.pipe_bytes);
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:7000";
    options.io_threads = 0;
    options.max_connections = 3; /* one peer less than there are */
    options.message_bytes_max = CONN_MESSAGE_MAX;
    options.send_queue_bytes_max = 2048;
    options.send_small_bytes = 8 * 512;
    options.send_large_bytes = 0;
    options.assembly_bytes = 8192;
    options.receive_buffers = 4;
    options.receive_buffer_bytes = 4096;
    options.events_max = 64;
    options.linger_ms = 5;
    options.log = log_nothing;
    FUZZ_CHECK(throng_server_start(&server, &options, NULL) == 0);
    conn_game_init(server);
}

static void set_faults(uint32_t bits, uint32_t seed)
{
    static const struct {
        enum tg_sim_fault fault;
        uint32_t parts;
    } faults[16] = {
        {TG_SIM_FAULT_partial_receive, 32768},
        {TG_SIM_FAULT_partial_send, 32768},
        {TG_SIM_FAULT_tiny, 32768},
        {TG_SIM_FAULT_zero_send, 8192},
        {TG_SIM_FAULT_pending_send, 32768},
        {TG_SIM_FAULT_late, 16384},
        {TG_SIM_FAULT_run_ahead, 32768},
        {TG_SIM_FAULT_success_after_cancel, 32768},
        {TG_SIM_FAULT_send_error, 2048},
        {TG_SIM_FAULT_receive_error, 2048},
        {TG_SIM_FAULT_accept_error, 8192},
        {TG_SIM_FAULT_accept_dead, 8192},
        {TG_SIM_FAULT_adopt_error, 8192},
        {TG_SIM_FAULT_fragment, 32768},
        {TG_SIM_FAULT_reset_discards, 32768},
        {TG_SIM_FAULT_slow_path, 8192},
    };
    tg_sim_seed(seed);
    for (int i = 0; i < 16; i++) {
        tg_sim_set_fault(faults[i].fault, (bits >> i & 1) != 0 ? faults[i].parts : 0);
    }
}

enum operation {
    PEER_CONNECTS,
    PEER_SENDS_RAW,
    PEER_SENDS_MESSAGE,
    PEER_READS,
    PEER_ENDS,
    PEER_CLOSES,
    PEER_RESETS,
    SERVER_TAKES,
    SERVER_RELEASES,
    SERVER_WRITES,
    SERVER_WRITES_STALE,
    SERVER_CLOSES,
    SERVER_ABORTS,
    SERVER_FLUSHES,
    TIME_PASSES,
    SERVER_ECHOES,
};

static void run_operation(struct fuzz_script *script)
{
    uint32_t byte = fuzz_byte(script);
    uint32_t peer = byte >> 4 & 3;
    uint32_t kind = byte >> 6;
    switch ((enum operation)(byte & 15)) {
    case PEER_CONNECTS:
        conn_peer_connect(peer);
        return;
    case PEER_SENDS_RAW: {
        const uint8_t *data;
        size_t size = fuzz_bytes(script, 1 + kind * 3, &data);
        conn_peer_send(peer, data, (uint32_t)size);
        return;
    }
    case PEER_SENDS_MESSAGE:
        conn_peer_send_message(peer, kind < 3 ? fuzz_byte(script) : fuzz_pair(script));
        return;
    case PEER_READS:
        conn_peer_read(peer, kind == 3 ? UINT32_MAX : 1 + kind * 100);
        return;
    case PEER_ENDS:
        conn_peer_end(peer);
        return;
    case PEER_CLOSES:
        conn_peer_close(peer, false);
        return;
    case PEER_RESETS:
        conn_peer_close(peer, true);
        return;
    case SERVER_TAKES:
        conn_take(kind == 3 ? 64 : 1 + kind);
        return;
    case SERVER_RELEASES:
        conn_release(fuzz_byte(script));
        return;
    case SERVER_WRITES:
        conn_write(peer, kind < 3 ? fuzz_byte(script) : fuzz_pair(script));
        return;
    case SERVER_WRITES_STALE:
        conn_use_stale(peer, kind);
        return;
    case SERVER_CLOSES:
        conn_close(peer, false);
        return;
    case SERVER_ABORTS:
        conn_close(peer, true);
        return;
    case SERVER_FLUSHES:
        throng_flush(server);
        return;
    case TIME_PASSES:
        tg_sim_elapse(UINT64_C(1) << (10 + 5 * kind));
        return;
    case SERVER_ECHOES:
        conn_echo(kind);
        return;
    }
}

/* Without faults, and with peers that are gone, everything comes to its end. */
static void come_to_rest(void)
{
    tg_sim_calm();
    for (uint32_t peer = 0; peer < CONN_PEERS; peer++) {
        conn_peer_close(peer, false);
    }
    for (uint32_t step = 0; !conn_is_at_rest(); step++) {
        FUZZ_CHECK(step < STEPS_MAX);
        conn_take(64);
        conn_release_all();
        tg_sim_elapse(1000000);
    }
    conn_check_rest();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = fuzz_script_open(data, size);
    if (server == NULL) {
        start_server();
    }
    conn_lives_begin();
    uint32_t faults = fuzz_pair(&script);
    set_faults(faults, fuzz_byte(&script));
    while (!fuzz_is_over(&script)) {
        run_operation(&script);
    }
    come_to_rest();
    return 0;
}

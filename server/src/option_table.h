/* SPDX-License-Identifier: MIT
 * The table of the server's options: what the defaults, the check at start, the setting from text,
 * the programs' --help and their config files grow from. What each option means is said in
 * throng/options.h. Constant, so for any thread. */
#ifndef TG_SERVER_OPTION_TABLE_H
#define TG_SERVER_OPTION_TABLE_H

#include <throng/options.h>

/* How an option is written, and what 0 is. Where 0 is not in the range it means the default. */
enum tg_option_kind {
    TG_OPTION_NUMBER, /* digits */
    TG_OPTION_OFF,    /* digits or "off", which is UINT32_MAX */
    TG_OPTION_AUTO,   /* digits or "auto", likewise */
    TG_OPTION_MEMORY, /* digits; its least follows from message_bytes_max, so the start checks it */
    TG_OPTION_CHOICE, /* one of the words of `unit`, which " | " parts: the first is 0 */
    TG_OPTION_LISTEN, /* an endpoint, for the next free listener */
    TG_OPTION_ENDPOINT, /* an endpoint, or "off", which is NULL */
    TG_OPTION_BACKEND,  /* the name of a completion port */
};

/* X(field, kind, default, least, most, unit, default in words, help). Decimal digits, for the help
 * text shows them as they stand here; a default of 0 outside the range follows from other options.
 * Words only where digits do not say it. */
#define TG_OPTION_MAP(X)                                                                           \
    X(listen, LISTEN, 0, 0, 0, "tcp://HOST:PORT", "",                                              \
      "where to listen; HOST: IPv4, [IPv6], a name, * (any); port 0: any")                         \
    X(max_connections, NUMBER, 65000, 1, 1048575, "connections", "", "connections at once")        \
    X(io_threads, AUTO, 4294967295, 0, 64, "threads", "auto",                                      \
      "I/O threads; 0: inline; raised if the descriptor limit needs it")                           \
    X(backend, BACKEND, 0, 0, 0, "", "auto", "the completion port; auto: the best that works")     \
    X(message_bytes_max, NUMBER, 65536, 1, 67108864, "bytes", "", "longest message, either way")   \
    X(byte_order, CHOICE, 0, 0, 1, "big | little", "big", "byte order of the length on the wire")  \
    X(when_full, CHOICE, 0, 0, 1, "refuse | backlog", "refuse",                                    \
      "a connection too many: reset it, or let it wait in the backlog")                            \
    X(backlog, NUMBER, 4096, 1, 1048576, "connections", "",                                        \
      "connections that the system holds before they are accepted")                                \
    X(send_queue_bytes_max, MEMORY, 0, 512, 2147483648, "bytes", "262144 or two longest messages", \
      "bytes that may wait to be sent to one connection")                                          \
    X(send_small_bytes, MEMORY, 0, 512, 68719476736, "bytes", "33554432 or two longest messages",  \
      "memory for messages that wait to be sent; for all connections")                             \
    X(send_large_bytes, MEMORY, 16777216, 16896, 68719476736, "bytes", "",                         \
      "the same, for the inside of long messages")                                                 \
    X(assembly_bytes, MEMORY, 0, 512, 68719476736, "bytes", "8388608 or four longest messages",    \
      "memory for messages that arrive in pieces, per I/O thread")                                 \
    X(receive_buffers, NUMBER, 32, 4, 65536, "buffers", "", "receive buffers per I/O thread")      \
    X(receive_buffer_bytes, NUMBER, 65536, 4096, 4194304, "bytes", "", "size of each of them")     \
    X(events_max, NUMBER, 8192, 64, 1048576, "events", "",                                         \
      "events taken and not yet released, per I/O thread")                                         \
    X(socket_send_bytes, NUMBER, 0, 0, 1073741824, "bytes", "",                                    \
      "the kernel's send buffer of each connection; 0: its own tuning")                            \
    X(socket_receive_bytes, NUMBER, 0, 0, 1073741824, "bytes", "",                                 \
      "the kernel's receive buffer of each connection; 0: its own tuning")                         \
    X(linger_ms, NUMBER, 2000, 1, 600000, "ms", "", "patience of a graceful close")                \
    X(accept_pool, NUMBER, 256, 1, 65536, "sockets", "",                                           \
      "Windows: sockets made ahead for each listener")                                             \
    X(reuse_sockets, CHOICE, 0, 0, 1, "no | yes", "no",                                            \
      "Windows: accept on sockets of connections that ended (untested)")                           \
    X(first_message_timeout_ms, OFF, 120000, 1, 86400000, "ms", "",                                \
      "from accept to the first whole message")                                                    \
    X(message_timeout_ms, OFF, 0, 1, 86400000, "ms", "10000, or a longest message at 16 KiB/s",    \
      "from the first byte of a message to its last one")                                          \
    X(idle_timeout_ms, NUMBER, 0, 0, 86400000, "ms", "", "without a byte from the peer; 0: none")  \
    X(write_timeout_ms, OFF, 10000, 1, 86400000, "ms", "",                                         \
      "within it a peer must take some of what waits for it")                                      \
    X(reader_rate_min, NUMBER, 256, 1, 1073741824, "bytes/s", "",                                  \
      "bytes a second that a peer must take while some wait")                                      \
    X(heartbeat_ms, NUMBER, 0, 0, 86400000, "ms", "",                                              \
      "an empty message after so long without another; 0: none")                                   \
    X(keepalive_s, OFF, 120, 1, 32767, "s", "",                                                    \
      "TCP keepalive: silence before the system asks the peer")                                    \
    X(user_timeout_ms, OFF, 0, 1, 86400000, "ms", "keepalive-s and 60 s",                          \
      "unacknowledged bytes; off: the system's choice; not on Windows")                            \
    X(logic_stall_ms, OFF, 1000, 1, 86400000, "ms", "",                                            \
      "a logic thread that takes no event for so long is reported")                                \
    X(when_send_full, CHOICE, 0, 0, 2, "refuse | close | drop_oldest", "refuse",                   \
      "no room for a message: refuse it, reset, or drop the oldest ones")                          \
    X(send_reserve_percent, NUMBER, 25, 1, 90, "%", "",                                            \
      "part of send memory kept for connections that keep up")                                     \
    X(turn_messages, NUMBER, 256, 1, 65536, "messages", "",                                        \
      "messages handed up of one connection, then the others come first")                          \
    X(messages_per_s, NUMBER, 0, 0, 1073741824, "messages/s", "",                                  \
      "most messages a second of each connection; 0: no limit")                                    \
    X(messages_burst, NUMBER, 0, 0, 1073741824, "messages", "",                                    \
      "how many of them at once after a pause; 0: one second's worth")                             \
    X(bytes_per_s, NUMBER, 0, 0, 1073741824, "bytes/s", "",                                        \
      "most bytes a second of each connection; 0: no limit")                                       \
    X(bytes_burst, NUMBER, 0, 0, 1073741824, "bytes", "",                                          \
      "how many of them at once after a pause; 0: one second's worth")                             \
    X(when_over_rate, CHOICE, 0, 0, 1, "slow | close", "slow",                                     \
      "a connection over its rate: read from it more slowly, or reset it")                         \
    X(connections_per_address, NUMBER, 0, 0, 1048575, "connections", "",                           \
      "connections from one address at once (IPv6: one /64); 0: no limit")                         \
    X(evict_silent_ms, OFF, 10000, 1, 86400000, "ms", "",                                          \
      "when full, reset who has been silent since its accept for so long")                         \
    X(rooms_max, NUMBER, 4096, 1, 1048575, "rooms", "", "rooms at once")                           \
    X(room_members_max, NUMBER, 0, 1, 16777216, "members", "two for each connection",              \
      "memberships of connections in rooms at once")                                               \
    X(rooms_per_connection, NUMBER, 64, 1, 65535, "rooms", "", "rooms of one connection")          \
    X(room_references_max, NUMBER, 0, 64, 16777216, "messages",                                    \
      "65536 or four for each connection",                                                         \
      "messages of broadcasts that wait for their members, per I/O thread")                        \
    X(timers_max, NUMBER, 4096, 1, 1048576, "timers", "", "timers that may run at once")           \
    X(posts_max, NUMBER, 4096, 1, 1048576, "posts", "",                                            \
      "posts of other threads that may wait for the logic thread")                                 \
    X(admin, ENDPOINT, 0, 0, 0, "tcp://HOST:PORT | off", "off",                                    \
      "where to answer /metrics and /healthz (HTTP); give a loopback address")

/* The rows, in the table's order: TG_OPTION_INDEX_max_connections. */
enum tg_option_index {
#define TG_OPTION_ENUM(field, ...) TG_OPTION_INDEX_##field,
    TG_OPTION_MAP(TG_OPTION_ENUM)
#undef TG_OPTION_ENUM
    TG_OPTION_COUNT
};

struct tg_option {
    const char *name;
    const char *unit;
    const char *fallback_words; /* or "" */
    const char *fallback_digits;
    const char *range; /* in words, "" for text and choices */
    const char *help;
    uint64_t fallback;
    uint64_t least;
    uint64_t most;
    uint32_t offset; /* in struct throng_server_options */
    uint32_t size;   /* of one value, bytes */
    uint32_t count;  /* of values: an array has one for each listener */
    enum tg_option_kind kind;
};

extern const struct tg_option tg_options[TG_OPTION_COUNT];

/* Whether the option is a number inside: every kind but the texts. */
bool tg_option_is_number(const struct tg_option *option);

/* Value `index` of the option, and setting it. Numbers only. */
uint64_t tg_option_get(const struct tg_option *option, const struct throng_server_options *options,
                       uint32_t index);
void tg_option_put(const struct tg_option *option, struct throng_server_options *options,
                   uint32_t index, uint64_t value);

/* The word that stands for UINT32_MAX, or NULL. */
const char *tg_option_word(const struct tg_option *option);

#endif

/* SPDX-License-Identifier: MIT
 * Typed messages over MessagePack: the library throng::message, for both ends.
 *
 *     static int on_move(void *context, throng_conn conn, struct throng_message *message)
 *     {
 *         double x, y;
 *         if (throng_body_f64(message, "x", &x) != 0 || throng_body_f64(message, "y", &y) != 0)
 *             return THRONG_EPROTOCOL; // answered as options.on_bad says
 *         return game_move(context, conn, x, y);
 *     }
 *     static const struct throng_message_type types[] = {
 *         {.type = GAME_MOVE, .name = "move", .handler = on_move, .bytes_max = 256},
 *     };
 *     ...
 *     case THRONG_EVENT_MESSAGE:
 *         throng_messages_dispatch(messages, event.conn, event.user, event.data, event.size);
 *
 * A message is a MessagePack array [type, request, body] (common/PROTOCOL.md). Before anything of
 * it is read, a scan that allocates nothing has checked every byte against the limits, and noted
 * where each value begins; fields are read from there, and MessagePack-C decodes a message only if
 * its objects are asked for. Strings and bins point into the bytes that were given. Nothing is
 * allocated after throng_messages_create. An object belongs to one thread at a time.
 *
 * throng/pack.h writes messages, throng/value.h reads what is in them, throng/message_server.h and
 * throng/message_client.h join them to the two ends, throng/message_object.h is for those who know
 * MessagePack-C. */
#ifndef THRONG_MESSAGE_H
#define THRONG_MESSAGE_H

#include <throng/error.h>
#include <throng/pack.h>
#include <throng/types.h>
#include <throng/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The type of throng's own error messages: [0, -n or nil, {"code": number, "text": string}]. */
#define THRONG_MESSAGE_TYPE_ERROR 0u
/* Largest id of a request. */
#define THRONG_REQUEST_ID_MAX 2147483647

/* ---- what can be wrong ---- */

/* X(name, what it says; the value and limit that belong to it). DECODER does not occur; it is there
 * for programs that name it. */
#define THRONG_MESSAGE_FAULT_MAP(X)                                                                \
    X(BYTES, "the message is longer than its type allows")                                         \
    X(TRUNCATED, "the message ends inside a value")                                                \
    X(TRAILING, "bytes follow the message's end")                                                  \
    X(RESERVED, "a byte that MessagePack does not use")                                            \
    X(DEPTH, "arrays and maps are nested too deeply")                                              \
    X(NODES, "the message has too many values")                                                    \
    X(COUNT, "an array or map announces more values than there are bytes left")                    \
    X(STRING_BYTES, "a string or bin is too long")                                                 \
    X(KEY, "a map's key is not a string")                                                          \
    X(KEY_BYTES, "a map's key is too long")                                                        \
    X(EXT, "an extension type")                                                                    \
    X(ENVELOPE, "the message is not an array of three: type, request, body")                       \
    X(TYPE, "the type is not a whole number from 0 to 4294967295")                                 \
    X(REQUEST, "the request is neither nil nor a number of at most 2147483647 but 0")              \
    X(DECODER, "MessagePack-C could not decode the message")                                       \
    X(UNKNOWN_TYPE, "no such type of message")                                                     \
    X(NO_FIELD, "the field is missing")                                                            \
    X(FIELD_KIND, "the field is of another kind")                                                  \
    X(FIELD_RANGE, "the field's number is out of range")                                           \
    X(FIELD_UTF8, "the field's text is not UTF-8")                                                 \
    X(HANDLER, "the message was refused")

enum throng_message_fault_kind {
    THRONG_FAULT_NONE = 0,
#define THRONG_MESSAGE_FAULT_ENUM(name, text) THRONG_FAULT_##name,
    THRONG_MESSAGE_FAULT_MAP(THRONG_MESSAGE_FAULT_ENUM)
#undef THRONG_MESSAGE_FAULT_ENUM
};

/* What was wrong with a message, without text: it is noted for each one, but read rarely. */
struct throng_message_fault {
    uint32_t kind; /* enum throng_message_fault_kind */
    int code;      /* THRONG_EPROTOCOL, or THRONG_ETOOBIG if a limit was passed; 0: nothing wrong */
    size_t offset; /* of the byte where it shows, from the message's first */
    uint64_t value;    /* the offending number, where there is one: a count, a size, a type ... */
    uint64_t limit;    /* and what it may be at most */
    const char *field; /* the key that was asked for, or NULL */
};

/* Says it in a sentence that names value, limit and place. Any thread. */
THRONG_API void throng_message_fault_text(const struct throng_message_fault *fault,
                                          struct throng_error *error);

/* ---- limits ---- */

/* What a message may be, whoever sends it. 0 means the default. */
struct throng_message_limits {
    uint32_t bytes_max; /* of all of it; default 65,536 */
    uint32_t nodes_max; /* values in the body, keys and containers too; default 4,096; 16 bytes of
                               memory each, once, and 24 for MessagePack-C's objects */
    uint32_t depth_max; /* arrays and maps inside each other, in the body; 1..30, default 8 */
    uint32_t string_bytes_max; /* of one string, bin or extension; default bytes_max */
    uint32_t key_bytes_max;    /* of a map's key; default 64 */
    bool any_keys;             /* maps may have keys that are not strings */
    bool ext_allowed;          /* extension types may come (timestamps are one) */
};

/* Checks bytes that are to be one value of MessagePack, nothing else, against the limits: no
 * allocation, no recursion, time by the bytes. 0; or the code of *fault (may be NULL); or
 * THRONG_EINVAL, with nothing noted: a limit is out of range, or data is NULL and size is not 0.
 * `limits` NULL: the defaults. */
THRONG_API int throng_message_scan(const void *data, size_t size,
                                   const struct throng_message_limits *limits,
                                   struct throng_message_fault *fault);

/* ---- a decoded message ---- */

struct throng_message {
    uint32_t type;
    uint32_t request; /* 0: neither a request nor a reply */
    bool is_reply;    /* to our request `request` */
    throng_value body;
    void *user;       /* as given to throng_messages_dispatch */
    const void *data; /* all its bytes, as they came */
    size_t size;
    struct throng_message_fault fault; /* the first field that could not be read */
};

/* What to give throng_pack_envelope to answer this request; 0 if it is none. */
static inline int32_t throng_message_reply_id(const struct throng_message *message)
{
    return message->is_reply ? 0 : -(int32_t)message->request;
}

/* ---- fields of a body that is a map ----
 *
 * As throng_value_...: 0, or THRONG_EPROTOCOL with the output untouched; in addition message->fault
 * notes the first field that failed. A body that is no map has no fields. `key` is NUL-terminated
 * and kept by pointer. */

/* Whether the field is there and not nil: for those that are optional. */
THRONG_API bool throng_body_has(const struct throng_message *message, const char *key);

/* The field, of whatever kind; none if it is missing. */
THRONG_API throng_value throng_body_get(const struct throng_message *message, const char *key);

THRONG_API int throng_body_u32(struct throng_message *message, const char *key, uint32_t *number);
THRONG_API int throng_body_u64(struct throng_message *message, const char *key, uint64_t *number);
THRONG_API int throng_body_i64(struct throng_message *message, const char *key, int64_t *number);
THRONG_API int throng_body_f64(struct throng_message *message, const char *key, double *number);
THRONG_API int throng_body_bool(struct throng_message *message, const char *key, bool *yes);
THRONG_API int throng_body_string(struct throng_message *message, const char *key,
                                  const char **text, size_t *size);
THRONG_API int throng_body_utf8(struct throng_message *message, const char *key, const char **text,
                                size_t *size);
THRONG_API int throng_body_bin(struct throng_message *message, const char *key, const void **data,
                               size_t *size);
/* A field that is an array or a map, to be read with throng/value.h. */
THRONG_API int throng_body_array(struct throng_message *message, const char *key,
                                 throng_value *array);
THRONG_API int throng_body_map(struct throng_message *message, const char *key, throng_value *map);

/* ---- decoding by hand ---- */

struct throng_decoder;

/* Reserves memory for nodes_max values. THRONG_EINVAL, THRONG_ENOMEM; `limits` may be NULL. */
THRONG_API int throng_decoder_create(struct throng_decoder **decoder,
                                     const struct throng_message_limits *limits,
                                     struct throng_error *error);
THRONG_API void throng_decoder_destroy(struct throng_decoder *decoder);

/* Scans and decodes one message. Its body is valid until the next call with this decoder; its
 * strings point into `data`. 0, or the code of message->fault (then nothing else of *message
 * counts). */
THRONG_API int throng_decode(struct throng_decoder *decoder, const void *data, size_t size,
                             struct throng_message *message);

/* ---- the table of types ---- */

/* Is called with a message of its type, whose fields are valid until it returns. 0; or a negative
 * error: the message is then answered as options.on_bad says, with the field that failed. It may
 * write, close, begin requests; not dispatch to the same object (THRONG_EINVAL). */
typedef int throng_message_handler(void *context, throng_conn conn, struct throng_message *message);

struct throng_message_type {
    uint32_t type;    /* >= 1, each once */
    const char *name; /* for people; kept by pointer */
    throng_message_handler *handler;
    uint32_t bytes_max; /* 0: as in options.limits; never more than those */
    uint32_t nodes_max;
    uint32_t depth_max;
};

/* What becomes of a message that cannot be handled. It is counted in any case, and nothing else is
 * lost. A bad error message (type 0, no reply) is only counted, whatever is chosen here. */
enum throng_when_bad {
    THRONG_WHEN_BAD_REPLY =
        0, /* an error message says why: type 0, the reply if it was a request */
    THRONG_WHEN_BAD_IGNORE = 1, /* nothing */
    THRONG_WHEN_BAD_CLOSE = 2,  /* the error message, then the connection is closed */
};

/* How a table of types reaches its end of the connections: throng_messages_of_server and
 * throng_messages_of_client make one. */
struct throng_message_link {
    void *end; /* handed to the two */
    int (*write)(void *end, throng_conn conn, const void *data, size_t size);
    int (*close)(void *end, throng_conn conn);
};

/* Fill with throng_messages_options_init. */
struct throng_messages_options {
    size_t struct_size;
    const struct throng_message_type *types; /* copied */
    size_t type_count;
    void *context; /* given to each handler */
    struct throng_message_limits limits;
    struct throng_message_link link; /* needed for REPLY and CLOSE; without it they count only */
    enum throng_when_bad on_unknown; /* no such type; default REPLY */
    enum throng_when_bad
        on_bad; /* malformed, over a limit, or its handler's error; default REPLY */
    throng_message_handler *on_error; /* type 0 that is no reply: the peer complains; may be NULL */
    uint32_t requests_max; /* of ours, unanswered, all connections together; 0..1,048,576,
                                         default 0: none can be begun; about 80 bytes each */
};

THRONG_API void throng_messages_options_init(struct throng_messages_options *options);

struct throng_messages;

/* Reserves everything. THRONG_EINVAL with the offending value and its limit, THRONG_ENOMEM. */
THRONG_API int throng_messages_create(struct throng_messages **messages,
                                      const struct throng_messages_options *options,
                                      struct throng_error *error);

/* Frees it; outstanding requests are forgotten without a call. NULL is allowed. */
THRONG_API void throng_messages_destroy(struct throng_messages *messages);

/* Handles one message that has come: finds its type, checks it, decodes it, calls the handler (or
 * the request's `done`). `user` is handed through in message->user. 0; or why it was not handled,
 * after the policy was applied: THRONG_EPROTOCOL, THRONG_ETOOBIG, or the handler's error. At a
 * client `conn` is {0}. */
THRONG_API int throng_messages_dispatch(struct throng_messages *messages, throng_conn conn,
                                        void *user, const void *data, size_t size);

/* The last fault, for a log line. Kind NONE if there was none. */
THRONG_API const struct throng_message_fault *
throng_messages_fault(const struct throng_messages *messages);

/* The name given for a type, or NULL. */
THRONG_API const char *throng_messages_type_name(const struct throng_messages *messages,
                                                 uint32_t type);

/* ---- requests ----
 *
 * A request is noted, then sent; its reply, its time-out or its connection's end calls back,
 * whichever comes first, exactly once. Time is an argument, from any origin, never running
 * backwards: throng_now_ns(server) / 1,000,000, or the game's own.
 *
 *     int32_t id;
 *     if (throng_request_begin(messages, conn, now_ms, 5000, on_reply, context, &id) == 0) {
 *         throng_pack_envelope(&pack, GAME_ASK, id);
 *         ...
 *         if (sending it failed)
 *             throng_request_cancel(messages, conn, id);
 *     }
 */

/* `result`: 0 and the reply; THRONG_EREMOTE and the peer's error message; or without a message:
 * THRONG_ETIMEDOUT, THRONG_ESTALE (the connection has ended), or THRONG_EPROTOCOL, THRONG_ETOOBIG
 * (it was not what the limits allow). The reply is valid until this returns. It may begin further
 * requests. */
typedef void throng_request_done(void *context, throng_conn conn, int result,
                                 struct throng_message *reply);

/* Notes a request to `conn` and answers its id, unlike that of every other one that is outstanding.
 * timeout_ms 1..86,400,000. 0; THRONG_EAGAIN: requests_max of them wait; THRONG_EINVAL. */
THRONG_API int throng_request_begin(struct throng_messages *messages, throng_conn conn,
                                    uint64_t now_ms, uint32_t timeout_ms, throng_request_done *done,
                                    void *context, int32_t *id);

/* Forgets it without a call; a reply that comes nevertheless is refused. 0 or THRONG_ESTALE: none
 * such. */
THRONG_API int throng_request_cancel(struct throng_messages *messages, throng_conn conn,
                                     int32_t id);

/* Ends those that are overdue. Call it now and then: from a TICK, or once a frame. Answers how
 * many. */
THRONG_API uint32_t throng_messages_update(struct throng_messages *messages, uint64_t now_ms);

/* Milliseconds until the next throng_messages_update has something to do, at the latest; -1:
 * never. */
THRONG_API int throng_messages_wait_ms(const struct throng_messages *messages, uint64_t now_ms);

/* The connection has ended (THRONG_EVENT_CLOSED; a client FAILED or closed): ends its requests.
 * Answers how many. */
THRONG_API uint32_t throng_messages_closed(struct throng_messages *messages, throng_conn conn);

/* ---- looking at it ---- */

/* Counters since creation; gauges are what holds now. X(name, text) */
#define THRONG_MESSAGES_COUNTER_MAP(X)                                                             \
    X(handled, "messages whose handler took them")                                                 \
    X(unknown, "messages of no known type")                                                        \
    X(malformed, "messages that were not what the protocol says")                                  \
    X(over_limit, "messages over a limit")                                                         \
    X(refused, "messages that their handler refused")                                              \
    X(errors_received, "error messages that were no replies")                                      \
    X(errors_sent, "error messages sent")                                                          \
    X(errors_unsent, "error messages for which there was no room")                                 \
    X(closed, "connections closed for a bad message")                                              \
    X(requests, "requests begun")                                                                  \
    X(replies, "replies that their request took")                                                  \
    X(replies_refused, "replies to no request of ours: late, forged, or another connection's")     \
    X(timeouts, "requests without a reply in time")                                                \
    X(requests_now, "gauge: requests that wait for their reply")

struct throng_messages_counters {
#define THRONG_MESSAGES_COUNTER_FIELD(name, text) uint64_t name;
    THRONG_MESSAGES_COUNTER_MAP(THRONG_MESSAGES_COUNTER_FIELD)
#undef THRONG_MESSAGES_COUNTER_FIELD
};

/* The owner's thread. */
THRONG_API void throng_messages_read_counters(const struct throng_messages *messages,
                                              struct throng_messages_counters *counters);

#ifdef __cplusplus
}
#endif

#endif

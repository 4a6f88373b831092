/* SPDX-License-Identifier: MIT
 * The admin listener's own record, and what its files tell each other. All of it lies in
 * TG_REGION_ADMIN. */
#ifndef TG_ADMIN_RECORD_H
#define TG_ADMIN_RECORD_H

#include <stdatomic.h>

#include "admin/admin.h"
#include "admin/metrics.h"
#include "buffer/recv_pool.h"
#include "codec/http_request.h"
#include "os/thread.h"

/* From the first byte of a request to its last; to the first byte of the first one. */
#define TG_ADMIN_REQUEST_MS 5000u
/* Between two requests. Prometheus comes every 15 s to 60 s. */
#define TG_ADMIN_IDLE_MS 75000u
/* For the peer to take an answer. */
#define TG_ADMIN_ANSWER_MS 10000u
/* And how much of it is his when somebody else wants the place. */
#define TG_ADMIN_ANSWER_LEAST_MS 1000u
/* For the peer's end after ours, and bytes thrown away meanwhile. */
#define TG_ADMIN_LINGER_MS 2000u
#define TG_ADMIN_DISCARD_MAX (64u * 1024u)
/* Connections that the system holds: they come one by one, and somebody may have to go for each. */
#define TG_ADMIN_BACKLOG 512u
/* How often the logic thread is looked at. */
#define TG_ADMIN_TICK_MS 250u

#define TG_ADMIN_TURN_BYTES 4096u
#define TG_ADMIN_BUFFERS 4u
#define TG_ADMIN_BUFFER_BYTES 16384u

/* Room before a body for the head of an answer, which is written when the body's length is
 * known. */
#define TG_ADMIN_HEAD_ROOM 512u

/*   FREE --accept--> READING --whole request--> ANSWERING --all sent, keep-alive--> READING
 *                       | end, error, time         | all sent: our FIN
 *                       |                          v
 *                       +--------> CLOSING <--- LINGERING (thrown away until the peer's end)
 *   CLOSING --CLOSE completion--> FREE */
enum tg_admin_state {
    TG_ADMIN_FREE = 0,
    TG_ADMIN_READING,
    TG_ADMIN_ANSWERING,
    TG_ADMIN_LINGERING,
    TG_ADMIN_CLOSING,
};

struct tg_admin_conn {
    struct tg_stream stream;
    uint8_t state;  /* enum tg_admin_state */
    bool unread;    /* READING: there are bytes at which nobody has looked */
    bool keep;      /* ANSWERING: another request may follow */
    uint32_t have;  /* bytes in `head` */
    uint32_t begin; /* ANSWERING: of what is to be sent, in `answer` */
    uint32_t end;
    uint32_t discarded; /* LINGERING */
    uint64_t since_ms;  /* in this state */
    uint64_t order;     /* of entering it: who is oldest within a millisecond */
    uint64_t deadline_ms;
    struct tg_http_request request;
    char head[TG_HTTP_HEAD_MAX + TG_ADMIN_TURN_BYTES]; /* and what came behind it */
    char answer[TG_ADMIN_HEAD_ROOM + TG_METRICS_TEXT_MAX];
};

struct tg_admin {
    /* Set before the thread starts. */
    struct throng_server *server;
    struct throng_address bound;
    tg_socket sock; /* until the port has it */
    struct tg_port_options port_options;
    struct tg_thread thread;
    bool running;
    bool is_loopback;
    uint64_t start_ns;
    uint64_t start_unix_ms;

    /* Its own thread. */
    struct tg_port *port;
    struct tg_recv_pool recv_pool;
    struct tg_listener listener;
    bool listening;
    bool listener_open;     /* its LISTENER_CLOSE has not come */
    uint64_t accept_due_ms; /* accepting rests until then; 0: it does not */
    tg_handle parked;       /* accepted, and waits for a place; or TG_HANDLE_NONE */
    uint32_t streams_open;
    uint64_t now_ms;
    uint64_t orders;         /* given out */
    uint64_t logic_calls;    /* of the logic thread, when it was last seen to move */
    uint64_t logic_moved_ms; /* and when that was */
    uint64_t requests[6];
    struct tg_admin_conn conns[TG_ADMIN_CONNECTIONS];
    struct tg_metrics metrics;

    /* Start and stop: written by one side, read by the other. */
    _Atomic int started; /* 0 not yet, 1 yes, < 0 the error */
    _Atomic bool stop;
};

/* ---- memory.c ---- */

/* Of zeroed memory. */
void tg_admin_init(struct tg_admin *admin, struct throng_server *server);

/* ---- conn.c ---- */

void tg_admin_on_accept(struct tg_admin *admin, const struct tg_completion *completion);
void tg_admin_on_receive(struct tg_admin *admin, const struct tg_completion *completion);
void tg_admin_on_send(struct tg_admin *admin, const struct tg_completion *completion);
void tg_admin_on_close(struct tg_admin *admin, const struct tg_completion *completion);
/* Answers a request of each connection that has sent one. Whether there is more to do. */
bool tg_admin_serve(struct tg_admin *admin);
/* Ends what has lasted too long, and finds a place for who waits for one. */
void tg_admin_tick(struct tg_admin *admin);
/* The time of the next deadline, or UINT64_MAX. */
uint64_t tg_admin_next_deadline_ms(const struct tg_admin *admin);
/* Resets everybody. */
void tg_admin_close_all(struct tg_admin *admin);

/* ---- answer.c ---- */

/* Writes the answer to conn->request, or with another status than 200 the refusal, to
 * conn->answer. */
void tg_admin_write_answer(struct tg_admin *admin, struct tg_admin_conn *conn, int status);

/* ---- admin.c ---- */

/* For how long the logic thread has asked for no event, if that is logic_stall_ms or more; else
 * 0. */
uint64_t tg_admin_stalled_ms(const struct tg_admin *admin);

#endif

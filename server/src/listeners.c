/* SPDX-License-Identifier: MIT
 * The listening sockets: opened by the start, handed to each worker, closed where they were opened.
 * Called by server.c and workers.c, on the logic thread. */
#include "life.h"
#include "listen.h"

static int listen_on(struct throng_server *server, uint32_t index, const char *text,
                     struct throng_error *error)
{
    struct tg_listen_options options = {
        .backlog = server->config.options.backlog,
        .send_buffer_bytes = server->config.options.socket_send_bytes,
        .receive_buffer_bytes = server->config.options.socket_receive_bytes,
        .keepalive_s = tg_config_limit(server->config.options.keepalive_s),
        .user_timeout_ms = tg_config_limit(server->config.options.user_timeout_ms),
    };
    int result = tg_listen_on(&server->sockets[index], text, &options, &server->bound[index]);
    if (result < 0) {
        return tg_config_fail(error, result, "cannot listen on %s: %s", text,
                              throng_error_text(result));
    }
    return 0;
}

void tg_server_close_sockets(tg_socket *sockets)
{
    for (uint32_t i = 0; i < THRONG_LISTENERS_MAX; i++) {
        if (sockets[i] != TG_SOCKET_NONE) {
            tg_socket_close(sockets[i]);
            sockets[i] = TG_SOCKET_NONE;
        }
    }
}

int tg_server_listen(struct throng_server *server, const struct throng_server_options *options,
                     struct throng_error *error)
{
    for (uint32_t i = 0; i < server->config.listener_count; i++) {
        int result = listen_on(server, i, options->listen[i], error);
        if (result < 0) {
            tg_server_close_sockets(server->sockets);
            return result;
        }
        /* The caller's string may go; bound[] says the same with the port really taken. */
        server->config.options.listen[i] = NULL;
    }
    return 0;
}

int tg_server_give_sockets(struct throng_server *server, struct tg_worker *worker)
{
    for (uint32_t i = 0; i < server->config.listener_count; i++) {
        worker->sockets[i] = server->config.own_descriptors
                                 ? server->sockets[i]
                                 : tg_socket_duplicate(server->sockets[i]);
        if (worker->sockets[i] < 0) {
            int error = (int)worker->sockets[i];
            worker->sockets[i] = TG_SOCKET_NONE;
            return error;
        }
    }
    return 0;
}

/* SPDX-License-Identifier: MIT
 * A stranger's program: server and client in one process, one message there and back. The server is
 * in inline mode, the client is the non-blocking one, so one thread drives both. */
#include <throng/client.h>
#include <throng/server.h>

#include <stdio.h>
#include <string.h>

enum {
    TURNS_MAX = 2000
}; /* of 5 ms: 10 seconds */

static const char TEXT[] = "there and back";

/* One step of the server: echoes what is there. */
static void serve(struct throng_server *server)
{
    struct throng_event event;
    while (throng_get_event(server, &event, 5) == 1) {
        if (event.type == THRONG_EVENT_MESSAGE) {
            throng_write_data(server, event.conn, event.data, event.size);
        }
        throng_release_event(server, &event);
    }
}

/* 1 once the echo came back whole, -1 if it cannot come any more, 0 otherwise. */
static int talk(struct throng_client *client, int *sent)
{
    const void *data;
    size_t size;
    enum throng_client_state state = throng_client_update(client);
    if (state == THRONG_CLIENT_FAILED) {
        return -1;
    }
    if (state == THRONG_CLIENT_CONNECTED && !*sent) {
        *sent = throng_client_write(client, TEXT, sizeof TEXT) == 0;
    }
    if (throng_client_read(client, &data, &size) != 1) {
        return 0;
    }
    return size == sizeof TEXT && memcmp(data, TEXT, size) == 0 ? 1 : -1;
}

static int round_trip(struct throng_server *server, struct throng_client *client)
{
    struct throng_address address;
    int sent = 0, answer = 0;
    throng_server_listen_address(server, 0, &address);
    throng_client_connect_address(client, &address);
    for (int turn = 0; turn < TURNS_MAX && answer == 0; turn++) {
        answer = talk(client, &sent);
        serve(server);
    }
    return answer;
}

int main(void)
{
    struct throng_server_options options;
    struct throng_server *server = NULL;
    struct throng_client *client = NULL;
    struct throng_error error = {0};

    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = 10;
    options.io_threads = 0;
    if (throng_server_start(&server, &options, &error) != 0 ||
        throng_client_create(&client, NULL, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        throng_server_stop(server);
        return 1;
    }
    int answer = round_trip(server, client);
    throng_client_destroy(client);
    throng_server_stop(server);
    puts(answer == 1 ? TEXT : "no echo came back");
    return answer == 1 ? 0 : 1;
}

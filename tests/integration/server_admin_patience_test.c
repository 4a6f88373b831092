/* SPDX-License-Identifier: MIT
 * How long the admin listener waits for whom: a request in 5 s, an answer taken in 10 s, a second
 * for who does not read while somebody else wants the place. One mode is enough: it is a thread of
 * its own. */
#include <string.h>

#include <throng/server.h>

#include "check.h"
#include "http_client.h"
#include "stopwatch.h"

#define PLACES 8u

static struct http_client client;
static struct http_answer answer;

struct scene {
    struct throng_server *server;
    struct throng_address admin;
};

static void start(struct scene *scene)
{
    struct throng_server_options options;
    struct throng_error error = {0};
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.admin = "tcp://127.0.0.1:0";
    options.max_connections = 16;
    options.io_threads = 1;
    if (throng_server_start(&scene->server, &options, &error) < 0) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(throng_server_admin_address(scene->server, &scene->admin), 0);
}

/* One that asks for much and reads nothing: its own buffer is small, and the system's is full
 * soon. */
static void open_deaf(const struct scene *scene, struct peer *peer)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    const struct peer_options narrow = {.receive_buffer_bytes = 4096};
    assert_true(peer_connect(peer, &scene->admin, &narrow));
    for (uint32_t i = 0; i < 2000; i++) {
        if (peer_send(peer, request, sizeof(request) - 1) <= 0) {
            return;
        }
    }
}

/* One that drips and one that says nothing, for five seconds. */
static void expect_patience_with_requests(const struct scene *scene)
{
    struct peer silent;
    int64_t begin_ms = test_now_ms();
    assert_true(peer_connect(&silent, &scene->admin, NULL));
    http_open(&client, &scene->admin);
    http_send(&client, "GET /metrics HTTP/1.1\r\nHost: a\r\nX-Drip: ");
    while (!peer_await(&client.peer, true, false, 500)) {
        (void)peer_send(&client.peer, "x", 1); /* progress is no excuse */
        assert_true(test_now_ms() < begin_ms + 5000 + test_deadline_ms());
    }
    assert_true(test_now_ms() >= begin_ms + 4900);
    http_read(&client, &answer, false);
    assert_int_equal(answer.status, 408);
    assert_false(answer.keeps);
    http_close(&client);
    assert_int_equal(peer_await_end(&silent, test_deadline_ms()), PEER_END);
    peer_close(&silent);
}

/* Nobody is there any more but who asks. */
static void await_solitude(const struct scene *scene)
{
    int64_t begin_ms = test_now_ms();
    for (;;) {
        assert_int_equal(http_get(&scene->admin, "/metrics", &answer), 200);
        if (http_metric(&answer, "throng_admin_connections") == 1) {
            return;
        }
        assert_true(test_now_ms() < begin_ms + 10000 + test_deadline_ms());
        test_pause_us(100000);
    }
}

/* Two servers, so that the waits are one. */
static void patience_ends_with_requests_and_with_answers(void **state)
{
    struct scene deaf_scene;
    struct scene scene;
    static struct peer deaf[PLACES];
    (void)state;
    start(&deaf_scene);
    start(&scene);
    for (uint32_t i = 0; i < PLACES; i++) {
        open_deaf(&deaf_scene, &deaf[i]);
    }
    /* Every place is taken by who does not read: one had to go after a second, not after ten. */
    int64_t begin_ms = test_now_ms();
    assert_int_equal(http_get(&deaf_scene.admin, "/metrics", &answer), 200);
    assert_true(test_now_ms() < begin_ms + test_patience_ms(8000));
    expect_patience_with_requests(&scene);
    await_solitude(&deaf_scene);
    for (uint32_t i = 0; i < PLACES; i++) {
        assert_int_equal(peer_await_end(&deaf[i], test_deadline_ms()), PEER_RESET);
        peer_close(&deaf[i]);
    }
    throng_server_stop(deaf_scene.server);
    throng_server_stop(scene.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience_ends_with_requests_and_with_answers),
    };
    return cmocka_run_group_tests_name("server_admin_patience", tests, NULL, NULL);
}

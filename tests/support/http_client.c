/* SPDX-License-Identifier: MIT
 * The HTTP client of the tests, on the thread of the test. */
#include "http_client.h"

#include <string.h>

#include "check.h"
#include "stopwatch.h"

void http_open(struct http_client *client, const struct throng_address *address)
{
    client->have = 0;
    assert_true(peer_connect(&client->peer, address, NULL));
}

void http_close(struct http_client *client)
{
    peer_close(&client->peer);
}

void http_send(struct http_client *client, const char *text)
{
    assert_true(peer_send_all(&client->peer, text, strlen(text), test_deadline_ms()));
}

/* More bytes, behind those that are there. */
static void receive_more(struct http_client *client)
{
    assert_true(client->have < sizeof(client->bytes));
    assert_true(peer_await(&client->peer, true, false, test_deadline_ms()));
    ptrdiff_t size = peer_receive(&client->peer, client->bytes + client->have,
                                  sizeof(client->bytes) - client->have);
    if (size != PEER_WOULD_BLOCK) {
        assert_true(size > 0); /* the stream ended before its answer */
        client->have += (size_t)size;
    }
}

static size_t find_head(const struct http_client *client)
{
    for (size_t at = 0; at + 4 <= client->have; at++) {
        if (memcmp(client->bytes + at, "\r\n\r\n", 4) == 0) {
            return at + 4;
        }
    }
    return 0;
}

static void read_head(struct http_client *client, struct http_answer *answer)
{
    size_t size;
    while ((size = find_head(client)) == 0) {
        receive_more(client);
    }
    assert_true(size < sizeof(answer->head));
    memcpy(answer->head, client->bytes, size);
    answer->head[size] = '\0';
    client->have -= size;
    memmove(client->bytes, client->bytes + size, client->have);
    const char *length = strstr(answer->head, "\r\nContent-Length: ");
    assert_non_null(length);
    assert_memory_equal(answer->head, "HTTP/1.1 ", 9);
    answer->status = (int)strtol(answer->head + 9, NULL, 10);
    answer->announced = strtoul(length + 18, NULL, 10);
    answer->keeps = strstr(answer->head, "\r\nConnection: keep-alive\r\n") != NULL;
    assert_true(answer->keeps || strstr(answer->head, "\r\nConnection: close\r\n") != NULL);
}

void http_read(struct http_client *client, struct http_answer *answer, bool without_body)
{
    read_head(client, answer);
    size_t size = without_body ? 0 : answer->announced;
    assert_true(size < sizeof(answer->body));
    while (client->have < size) {
        receive_more(client);
    }
    memcpy(answer->body, client->bytes, size);
    answer->body[size] = '\0';
    answer->size = size;
    client->have -= size;
    memmove(client->bytes, client->bytes + size, client->have);
}

void http_expect_end(struct http_client *client)
{
    assert_int_equal(client->have, 0);
    enum peer_answer end = peer_await_end(&client->peer, test_deadline_ms());
    assert_true(end == PEER_END || end == PEER_RESET);
}

int http_get(const struct throng_address *address, const char *path, struct http_answer *answer)
{
    static struct http_client client;
    char request[256];
    (void)snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", path);
    http_open(&client, address);
    http_send(&client, request);
    http_read(&client, answer, false);
    assert_int_equal(client.have, 0);
    assert_int_equal(peer_await_end(&client.peer, test_deadline_ms()), PEER_END);
    http_close(&client);
    return answer->status;
}

double http_metric(const struct http_answer *answer, const char *sample)
{
    size_t length = strlen(sample);
    for (const char *at = answer->body; (at = strstr(at, sample)) != NULL; at += length) {
        if ((at == answer->body || at[-1] == '\n') && at[length] == ' ') {
            return strtod(at + length + 1, NULL);
        }
    }
    fail_msg("/metrics has no %s", sample);
    return 0;
}

/* SPDX-License-Identifier: MIT
 * What throng-top asks by HTTP, and how it takes the answer apart, wherever it is cut. */
#include <string.h>

#include "check.h"

#include "../../tools/top/http.h"

static enum http_progress read_all(struct http_answer *answer, const char *text)
{
    return http_read(answer, text, strlen(text));
}

static void the_request_names_host_and_path(void **state)
{
    char text[256];
    (void)state;
    assert_true(http_request(text, sizeof(text), "[::1]:9100", "/metrics") > 0);
    assert_memory_equal(text, "GET /metrics HTTP/1.1\r\nHost: [::1]:9100\r\n", 41);
    assert_int_equal(strcmp(text + strlen(text) - 4, "\r\n\r\n"), 0);
    assert_int_equal(http_request(text, 20, "h", "/metrics"), 0);
}

static void an_answer_is_whole_at_its_length_and_not_a_byte_before(void **state)
{
    static const char text[] =
        "HTTP/1.1 200 OK\r\nX: y\r\ncontent-LENGTH:  5\r\nConnection: close\r\n\r\nhello";
    struct http_answer answer = {0};
    (void)state;
    for (size_t size = 0; size + 1 < sizeof(text); size++) {
        assert_int_equal(http_read(&answer, text, size), HTTP_MORE);
    }
    assert_int_equal(read_all(&answer, text), HTTP_WHOLE);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_size, 5);
    assert_memory_equal(answer.body, "hello", 5);
}

static void without_a_length_it_ends_with_the_connection(void **state)
{
    struct http_answer answer = {0};
    (void)state;
    assert_int_equal(read_all(&answer, "HTTP/1.0 503 No\n\nbo"), HTTP_TO_THE_END);
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.body_size, 2);
}

static void what_is_not_understood_is_refused(void **state)
{
    static const char *const bad[] = {
        "SSH-2.0-OpenSSH\r\n",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"};
    struct http_answer answer = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_all(&answer, bad[i]), HTTP_BAD);
    }
}

static void a_head_without_end_is_refused(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n";
    static char text[20000];
    struct http_answer answer = {0};
    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(http_read(&answer, text, sizeof(text)), HTTP_BAD);
    for (size_t i = 0; head[i] != '\0'; i++) {
        text[i] = head[i];
    }
    assert_int_equal(http_read(&answer, text, 1000), HTTP_MORE);
    assert_int_equal(http_read(&answer, text, sizeof(text)), HTTP_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_names_host_and_path),
        cmocka_unit_test(an_answer_is_whole_at_its_length_and_not_a_byte_before),
        cmocka_unit_test(without_a_length_it_ends_with_the_connection),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(a_head_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

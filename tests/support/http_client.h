/* SPDX-License-Identifier: MIT
 * A client of HTTP/1.1 over a plain peer, with no more manners than the test gives it. Fails the
 * test where an answer is none. */
#ifndef TEST_SUPPORT_HTTP_CLIENT_H
#define TEST_SUPPORT_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "peer.h"

#define HTTP_ANSWER_MAX (80u * 1024u)

struct http_client {
    struct peer peer;
    size_t have; /* bytes that came and belong to no answer yet */
    char bytes[HTTP_ANSWER_MAX];
};

struct http_answer {
    int status;
    size_t announced; /* Content-Length */
    bool keeps;       /* Connection: keep-alive */
    char head[1024];  /* with its lines, and a NUL */
    size_t size;      /* of the body that came */
    char body[HTTP_ANSWER_MAX];
};

void http_open(struct http_client *client, const struct throng_address *address);
void http_close(struct http_client *client);

/* Sends these bytes. */
void http_send(struct http_client *client, const char *text);

/* The next answer, within the test's patience. without_body: to a HEAD. */
void http_read(struct http_client *client, struct http_answer *answer, bool without_body);

/* Nothing more comes: the server ends its direction, or resets. */
void http_expect_end(struct http_client *client);

/* One GET on a connection of its own. Answers the status. */
int http_get(const struct throng_address *address, const char *path, struct http_answer *answer);

/* The number of a sample, "name" or "name{labels}", in the text of /metrics; fails the test without
 * it. */
double http_metric(const struct http_answer *answer, const char *sample);

#endif

/* SPDX-License-Identifier: MIT
 * One GET by HTTP/1.1 to a server that is near: what is written, and how the answer is taken apart.
 * Pure. */
#ifndef TOP_HTTP_H
#define TOP_HTTP_H

#include <stddef.h>

enum http_progress {
    HTTP_MORE = 0,       /* the answer is not whole yet */
    HTTP_WHOLE = 1,      /* the answer is there */
    HTTP_TO_THE_END = 2, /* it ends where the connection ends */
    HTTP_BAD = -1, /* this is no HTTP, or a form of it that is not understood here (chunked) */
};

struct http_answer {
    unsigned status;
    const char *body; /* in the bytes that were read */
    size_t body_size;
};

/* Writes the request; answers its length, 0 if it does not fit. `host` is a name or an address with
 * its port, as it stands behind "tcp://". */
size_t http_request(char *text, size_t size, const char *host, const char *path);

/* Looks at the first `size` bytes of an answer, which may be more later. */
enum http_progress http_read(struct http_answer *answer, const char *bytes, size_t size);

#endif

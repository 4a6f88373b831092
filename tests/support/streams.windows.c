/* SPDX-License-Identifier: MIT
 * The standard streams of the C library, led into a pipe for a while. What writes to the system's
 * own handles past the C library is not heard; nothing of ours does. */
#include "streams.h"

#include <fcntl.h>
#include <io.h>

#include "check.h"

#define PIPE_BYTES 65536 /* whoever says more waits for ever, and the test's time limit ends it */

static size_t count_bytes(int pipe_end)
{
    char bytes[1024];
    size_t count = 0;
    int got;
    while ((got = _read(pipe_end, bytes, sizeof(bytes))) > 0) {
        count += (size_t)got;
    }
    return count;
}

size_t test_streams_said(void (*run)(void *context), void *context)
{
    int ends[2];
    assert_int_equal(_pipe(ends, PIPE_BYTES, _O_BINARY | _O_NOINHERIT), 0);
    (void)fflush(stdout);
    (void)fflush(stderr);
    int saved_out = _dup(1);
    int saved_err = _dup(2);
    assert_int_equal(_dup2(ends[1], 1), 0);
    assert_int_equal(_dup2(ends[1], 2), 0);
    run(context);
    (void)fflush(stdout);
    (void)fflush(stderr);
    (void)_dup2(saved_out, 1);
    (void)_dup2(saved_err, 2);
    (void)_close(saved_out);
    (void)_close(saved_err);
    (void)_close(ends[1]);
    size_t said = count_bytes(ends[0]);
    (void)_close(ends[0]);
    return said;
}

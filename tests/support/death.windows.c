/* SPDX-License-Identifier: MIT
 * An assertion that fails, and a way out of abort.
 *
 * Windows has no fork, so `run` runs in this process: abort raises SIGABRT, and the handler jumps
 * back instead of returning, which the C standard allows for a signal that abort raised. What `run`
 * held is lost, and what it had changed before the assertion stays changed: callers try nothing
 * else with the context but the next death. */
#include "death.h"

#include <fcntl.h>
#include <io.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "check.h"

#define PIPE_BYTES 65536 /* the text of one assertion fits many times */

static jmp_buf way_out;

/* Ends with a jump, as it must: abort ends the process when its handler returns. */
static void on_abort(int number)
{
    (void)number;
    longjmp(way_out, 1); /* NOLINT(bugprone-signal-handler,cert-sig30-c) */
}

static bool aborts(void (*run)(void *context), void *context)
{
    void (*before)(int) = signal(SIGABRT, on_abort); /* cmocka's own would end the test */
    volatile bool is_dead = false;
    if (setjmp(way_out) == 0) {
        run(context);
    } else {
        is_dead = true;
    }
    (void)signal(SIGABRT, before);
    return is_dead;
}

bool test_aborts(void (*run)(void *context), void *context, char *text, size_t text_size)
{
    int ends[2];
    assert_true(text_size >= 1);
    assert_int_equal(_pipe(ends, PIPE_BYTES, _O_TEXT | _O_NOINHERIT), 0);
    (void)fflush(stderr);
    int saved = _dup(2);
    assert_int_equal(_dup2(ends[1], 2), 0);
    bool is_dead = aborts(run, context);
    (void)fflush(stderr);
    assert_int_equal(_dup2(saved, 2), 0);
    (void)_close(saved);
    (void)_close(ends[1]);
    size_t length = 0;
    int got;
    do {
        size_t room = text_size - 1 - length;
        got = room == 0 ? 0 : _read(ends[0], text + length, (unsigned)room);
        length += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    text[length] = '\0';
    (void)_close(ends[0]);
    return is_dead;
}

/* SPDX-License-Identifier: MIT
 * A child process that is meant to die. */
#include "death.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static _Noreturn void run_child(int say, void (*run)(void *context), void *context)
{
    signal(SIGABRT, SIG_DFL); /* cmocka's own handler would report the test as failed */
    dup2(say, STDERR_FILENO);
    run(context);
    _exit(0);
}

bool test_aborts(void (*run)(void *context), void *context, char *text, size_t text_size)
{
    int ends[2];
    assert_true(text_size >= 1);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        run_child(ends[1], run, context);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    do {
        char spare[256];
        bool room = length + 1 < text_size;
        got = room ? read(ends[0], text + length, text_size - 1 - length)
                   : read(ends[0], spare, sizeof spare);
        if (got > 0 && room) {
            length += (size_t)got;
        }
    } while (got > 0 || (got < 0 && errno == EINTR));
    text[length] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

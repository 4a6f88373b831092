/* SPDX-License-Identifier: MIT
 * A child process with pipes, made with posix_spawn. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* POSIX leaves this declaration to the program; glibc makes it as well under _GNU_SOURCE. */
extern char **environ; /* NOLINT(readability-redundant-declaration) */

void child_start(struct child *child, const char *const *arguments)
{
    int out[2];
    int err[2];
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO), 0);
    /* posix_spawn takes the arguments as char *const[] for historical reasons and changes
     * nothing. */
    char *copies[32] = {strdup(arguments[0])};
    for (size_t i = 1; arguments[i] != NULL; i++) {
        assert_true(i < 31);
        copies[i] = strdup(arguments[i]);
    }
    pid_t pid = 0;
    int result = posix_spawn(&pid, arguments[0], &actions, NULL, copies, environ);
    for (size_t i = 0; copies[i] != NULL; i++) {
        free(copies[i]);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(err[1]);
    *child = (struct child){.process = pid, .out = out[0], .err = err[0], .status = -1};
    if (result != 0) {
        child->process = 0;
        fail_msg("cannot run %s: %s", arguments[0], strerror(result));
    }
}

bool child_request(const struct child *child, enum child_request request)
{
    return kill((pid_t)child->process, request == CHILD_INTERRUPT ? SIGINT : SIGTERM) == 0;
}

ptrdiff_t child_read(const struct child *child, bool from_err, char *text, size_t size,
                     int limit_ms)
{
    int pipe_end = (int)(from_err ? child->err : child->out);
    struct pollfd readable = {.fd = pipe_end, .events = POLLIN};
    if (poll(&readable, 1, limit_ms) <= 0) {
        return 0;
    }
    ssize_t got = read(pipe_end, text, size);
    if (got < 0 && errno == EINTR) {
        return 0;
    }
    return got > 0 ? got : -1;
}

/* It has closed its output, so it will not run for long. */
bool child_await_exit(struct child *child, int limit_ms)
{
    int status = 0;
    (void)limit_ms;
    if (waitpid((pid_t)child->process, &status, 0) != (pid_t)child->process) {
        return false;
    }
    child->process = 0;
    child->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

void child_end(struct child *child)
{
    if (child->process > 0) {
        (void)kill((pid_t)child->process, SIGKILL);
        (void)waitpid((pid_t)child->process, NULL, 0);
        child->process = 0;
    }
    close((int)child->out);
    close((int)child->err);
}

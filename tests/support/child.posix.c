/* SPDX-License-Identifier: MIT
 * A child process with pipes, made with posix_spawn. */
#include "child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "stopwatch.h"

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
    /* posix_spawn takes the arguments as char *const[] for historical reasons and changes nothing. */
    char *copies[32] = {strdup(arguments[0])};
    for (size_t i = 1; arguments[i] != NULL; i++) {
        assert_true(i < 31);
        copies[i] = strdup(arguments[i]);
    }
    int result = posix_spawn(&child->pid, arguments[0], &actions, NULL, copies, environ);
    for (size_t i = 0; copies[i] != NULL; i++) {
        free(copies[i]);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(err[1]);
    child->out = out[0];
    child->err = err[0];
    child->status = -1;
    if (result != 0) {
        fail_msg("cannot run %s: %s", arguments[0], strerror(result));
    }
}

bool child_read_line(const struct child *child, char *line, size_t size, int limit_ms)
{
    int64_t deadline_ms = test_now_ms() + limit_ms;
    size_t length = 0;
    while (length + 1 < size) {
        struct pollfd readable = {.fd = child->out, .events = POLLIN};
        int64_t left_ms = deadline_ms - test_now_ms();
        if (left_ms <= 0 || poll(&readable, 1, (int)left_ms) <= 0 ||
            read(child->out, line + length, 1) != 1) {
            return false;
        }
        if (line[length] == '\n') {
            line[length] = '\0';
            return true;
        }
        length++;
    }
    return false;
}

bool child_read_address(const struct child *child, struct throng_address *address, int limit_ms)
{
    static const char prefix[] = "listening on tcp://";
    char line[128];
    memset(address, 0, sizeof(*address));
    if (!child_read_line(child, line, sizeof(line), limit_ms) ||
        strncmp(line, prefix, sizeof(prefix) - 1) != 0) {
        return false;
    }
    char *host = line + sizeof(prefix) - 1;
    char *colon = strrchr(host, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    address->port = (uint16_t)strtoul(colon + 1, NULL, 10);
    if (host[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        address->family = THRONG_ADDRESS_IPV6;
        return inet_pton(AF_INET6, host + 1, address->bytes) == 1;
    }
    address->family = THRONG_ADDRESS_IPV4;
    return inet_pton(AF_INET, host, address->bytes) == 1;
}

/* Takes what the pipe has; false at its end. `text` may be NULL; it stays NUL-terminated. */
static bool take_output(int pipe_end, char *text, size_t size, size_t *length)
{
    char bytes[1024];
    ssize_t got = read(pipe_end, bytes, sizeof(bytes));
    if (got <= 0) {
        return got < 0 && errno == EINTR;
    }
    if (text != NULL) {
        size_t room = size - 1 - *length;
        size_t part = (size_t)got < room ? (size_t)got : room;
        memcpy(text + *length, bytes, part);
        *length += part;
        text[*length] = '\0';
    }
    return true;
}

/* Reads both pipes until they end, which they do when the child does. */
static bool take_all_output(struct child *child, char *out, char *err, size_t size,
                            int64_t deadline_ms)
{
    size_t lengths[2] = {0, 0};
    char *texts[2] = {out, err};
    struct pollfd pipes[2] = {{.fd = child->out, .events = POLLIN},
                              {.fd = child->err, .events = POLLIN}};
    while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
        int64_t left_ms = deadline_ms - test_now_ms();
        if (left_ms <= 0 || poll(pipes, 2, (int)left_ms) <= 0) {
            return false;
        }
        for (int i = 0; i < 2; i++) {
            if (pipes[i].fd >= 0 && pipes[i].revents != 0 &&
                !take_output(pipes[i].fd, texts[i], size, &lengths[i])) {
                pipes[i].fd = -1;
            }
        }
    }
    return true;
}

bool child_await_end(struct child *child, char *out, char *err, size_t size, int limit_ms)
{
    if (out != NULL) {
        out[0] = '\0';
    }
    if (err != NULL) {
        err[0] = '\0';
    }
    if (!take_all_output(child, out, err, size, test_now_ms() + limit_ms)) {
        return false;
    }
    int status = 0;
    if (waitpid(child->pid, &status, 0) != child->pid) {
        return false;
    }
    child->pid = 0;
    child->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

void child_end(struct child *child)
{
    if (child->pid > 0) {
        (void)kill(child->pid, SIGKILL);
        (void)waitpid(child->pid, NULL, 0);
        child->pid = 0;
    }
    close(child->out);
    close(child->err);
}

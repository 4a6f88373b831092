/* SPDX-License-Identifier: MIT
 * See control.h. One order at a time: the thread hands it over and waits for the logic thread's
 * answer, so an order goes through two atomics and no queue. */
#include "control.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define LINE_BYTES 128

enum order {
    ORDER_NONE,
    ORDER_BROADCAST,
    ORDER_STALL,
};

struct control {
    struct throng_server *server;
    struct game *game;
    pthread_t thread;
    int end[2]; /* a pipe: its end ends the thread */
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    /* Under the mutex. */
    enum order order;
    uint32_t numbers[3];
    bool done;
    bool result;
    bool ending;
};

static bool hand_over(struct control *control, enum order order)
{
    (void)pthread_mutex_lock(&control->mutex);
    control->order = order;
    control->done = false;
    throng_server_wake(control->server);
    while (!control->done && !control->ending) {
        (void)pthread_cond_wait(&control->answered, &control->mutex);
    }
    bool result = control->done && control->result;
    (void)pthread_mutex_unlock(&control->mutex);
    return result;
}

static void answer(struct control *control, const char *line)
{
    uint32_t *numbers = control->numbers;
    bool result = false;
    if (strcmp(line, "counters") == 0) {
        char text[REPORT_BYTES];
        size_t size = report_write(text, control->server, game_numbers(control->game));
        (void)printf("%.*s\n", (int)size, text);
        (void)fflush(stdout);
        return;
    }
    if (sscanf(line, "broadcast %u %u %u", &numbers[0], &numbers[1], &numbers[2]) == 3) {
        result = hand_over(control, ORDER_BROADCAST);
    } else if (sscanf(line, "stall %u", &numbers[0]) == 1) {
        result = hand_over(control, ORDER_STALL);
    }
    (void)puts(result ? "ok" : "no");
    (void)fflush(stdout);
}

/* Answers each whole line in `buffer`; how many bytes are left. */
static size_t answer_lines(struct control *control, char *buffer, size_t used)
{
    char *newline;
    while ((newline = memchr(buffer, '\n', used)) != NULL) {
        *newline = '\0';
        answer(control, buffer);
        used -= (size_t)(newline + 1 - buffer);
        memmove(buffer, newline + 1, used);
    }
    return used < LINE_BYTES ? used : 0;
}

static void *run(void *context)
{
    struct control *control = context;
    char buffer[LINE_BYTES];
    size_t used = 0;
    struct pollfd watched[] = {{.fd = control->end[0], .events = POLLIN},
                               {.fd = STDIN_FILENO, .events = POLLIN}};
    while (poll(watched, 2, -1) >= 0 && watched[0].revents == 0) {
        ssize_t got = read(STDIN_FILENO, buffer + used, sizeof(buffer) - used);
        if (got <= 0) {
            watched[1].fd = -1; /* nobody orders any more */
            continue;
        }
        used = answer_lines(control, buffer, used + (size_t)got);
    }
    return NULL;
}

struct control *control_start(struct throng_server *server, struct game *game)
{
    struct control *control = calloc(1, sizeof(*control));
    if (control == NULL || pipe(control->end) != 0) {
        free(control);
        return NULL;
    }
    control->server = server;
    control->game = game;
    (void)pthread_mutex_init(&control->mutex, NULL);
    (void)pthread_cond_init(&control->answered, NULL);
    if (pthread_create(&control->thread, NULL, run, control) != 0) {
        free(control);
        return NULL;
    }
    return control;
}

static bool obey(struct control *control, enum order order)
{
    const uint32_t *numbers = control->numbers;
    return order == ORDER_STALL ||
           game_broadcast(control->game, numbers[0], numbers[1], numbers[2]);
}

void control_obey(struct control *control)
{
    (void)pthread_mutex_lock(&control->mutex);
    enum order order = control->order;
    uint32_t stall_ms = order == ORDER_STALL ? control->numbers[0] : 0;
    if (order != ORDER_NONE) {
        control->result = obey(control, order);
        control->order = ORDER_NONE;
        control->done = true;
        (void)pthread_cond_signal(&control->answered);
    }
    (void)pthread_mutex_unlock(&control->mutex);
    if (stall_ms > 0) {
        game_stall(stall_ms); /* counters are answered meanwhile */
    }
}

void control_stop(struct control *control)
{
    (void)pthread_mutex_lock(&control->mutex);
    control->ending = true;
    (void)pthread_cond_signal(&control->answered);
    (void)pthread_mutex_unlock(&control->mutex);
    (void)close(control->end[1]);
    (void)pthread_join(control->thread, NULL);
    (void)close(control->end[0]);
    free(control);
}

/* SPDX-License-Identifier: MIT
 * The parent's side: a child process and the kernel's questions about its calls. filter.linux.c is
 * the child's side. */
#include "runner.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "filter.h"
#include "stopwatch.h"

/* The kernel's structs may be longer than the header's. */
union question {
    struct seccomp_notif notice;
    uint8_t room[512];
};
union answer {
    struct seccomp_notif_resp response;
    uint8_t room[512];
};

struct watch {
    struct run *run;
    enum run_window window;
    uint32_t phase;
    uint32_t thread_count;
    uint32_t threads[RUN_THREADS_MAX];
};

void *run_share(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        abort();
    }
    return memory;
}

/* ---- which call it is ---- */

static uint32_t thread_index(struct watch *watch, uint32_t id)
{
    uint32_t index = 0;
    while (index < watch->thread_count && watch->threads[index] != id) {
        index++;
    }
    if (index == watch->thread_count && index < RUN_THREADS_MAX) {
        watch->threads[watch->thread_count++] = id;
    }
    return index;
}

static bool is_same(const struct seen_call *a, const struct seen_call *b)
{
    return a->phase == b->phase && a->thread == b->thread && a->number == b->number;
}

/* Notes a call of the window. NULL: there is no more room, which is_ok tells. */
static const struct seen_call *note_call(struct watch *watch, uint32_t thread,
                                         const struct seccomp_data *data)
{
    struct run *run = watch->run;
    if (run->call_count == RUN_CALLS_MAX) {
        return NULL;
    }
    struct seen_call *call = &run->calls[run->call_count];
    *call =
        (struct seen_call){.phase = watch->phase, .thread = thread, .nth = 1, .number = data->nr};
    for (uint32_t i = 0; i < 6; i++) {
        call->arguments[i] = data->args[i];
    }
    for (uint32_t i = 0; i < run->call_count; i++) {
        call->nth += is_same(&run->calls[i], call) ? 1 : 0;
    }
    run->call_count++;
    if (fault_rule_for(call->number, call->arguments) == NULL) {
        run->unknown_count++;
        run->last_unknown = call->number;
    }
    return call;
}

/* ---- what to answer ---- */

static bool is_due(struct watch *watch, const struct seccomp_notif *notice)
{
    struct run *run = watch->run;
    uint32_t thread = thread_index(watch, notice->pid);
    if (watch->window == RUN_CLOSED || (watch->window == RUN_OTHERS && thread == 0)) {
        return false;
    }
    const struct seen_call *call = note_call(watch, thread, &notice->data);
    if (call == NULL || run->target == NULL || run->was_injected) {
        return false;
    }
    return is_same(call, run->target) && call->nth == run->target->nth;
}

static void decide(struct watch *watch, const struct seccomp_notif *notice,
                   struct seccomp_notif_resp *response)
{
    struct run *run = watch->run;
    response->id = notice->id;
    if (notice->data.nr == FILTER_MARK) {
        watch->window = (enum run_window)notice->data.args[0];
        watch->phase = (uint32_t)notice->data.args[1];
        (void)thread_index(watch, notice->pid);
    } else if (run->unknown_call != 0 && notice->data.nr == run->unknown_call) {
        response->error = -ENOSYS;
    } else if (is_due(watch, notice)) {
        run->was_injected = true;
        response->error = -run->target_error;
    } else {
        response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    }
}

static void answer_one(struct watch *watch, int listener)
{
    union question question;
    union answer answer;
    memset(&question, 0, sizeof(question));
    memset(&answer, 0, sizeof(answer));
    /* Either call fails if the thread that asked has been killed meanwhile. */
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) == 0) {
        decide(watch, &question.notice, &answer.response);
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

/* ---- the child ---- */

/* Answers questions until the child's end of the channel is closed: it has ended. False: it has
 * not, and its time is over. */
static bool watch_child(struct run *run, int channel)
{
    struct watch watch = {.run = run};
    struct pollfd sources[2] = {{.fd = channel, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    int64_t deadline_ms = test_now_ms() + run->limit_ms;
    bool has_ended = false;
    for (;;) {
        int64_t left_ms = deadline_ms - test_now_ms();
        if (left_ms <= 0 || poll(sources, 2, (int)left_ms) == 0) {
            break;
        }
        if ((sources[1].revents & POLLIN) != 0) {
            answer_one(&watch, sources[1].fd);
        } else if ((sources[0].revents & POLLIN) != 0 && sources[1].fd < 0) {
            sources[1].fd = filter_take(channel);
            has_ended = sources[1].fd < 0;
        } else if (sources[0].revents != 0) {
            has_ended = true;
        }
        if (has_ended) {
            break;
        }
    }
    if (sources[1].fd >= 0) {
        close(sources[1].fd);
    }
    return has_ended;
}

/* The test framework catches these, and would go on with its tests in the child. */
static void forget_handlers(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)signal(signals[i], SIG_DFL);
    }
}

static void start_work(const struct run *run, int channel)
{
    forget_handlers();
    filter_channel = channel;
    run->work(run->context);
    _exit(0);
}

void run_child(struct run *run)
{
    int ends[2];
    run->call_count = 0;
    run->unknown_count = 0;
    run->was_injected = false;
    (void)fflush(NULL);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        perror("socketpair");
        abort();
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        start_work(run, ends[1]);
    }
    close(ends[1]);
    if (child < 0) {
        perror("fork");
        abort();
    }
    bool has_ended = watch_child(run, ends[0]);
    if (!has_ended) {
        (void)kill(child, SIGKILL);
    }
    (void)waitpid(child, &run->status, 0);
    close(ends[0]);
    bool is_well = WIFEXITED(run->status) && WEXITSTATUS(run->status) == 0;
    run->end = !has_ended ? RUN_HUNG : is_well ? RUN_ENDED : RUN_DIED;
    if (WIFEXITED(run->status) && WEXITSTATUS(run->status) == FILTER_MISSING) {
        run->end = RUN_NO_FILTER;
    }
}

/* SPDX-License-Identifier: MIT
 * bench_load: the load on one echo server, in slices that tools/bench asks for.
 *
 *     bench_load --connect tcp://HOST:PORT --pid PID [--connections N] [--active K] [--size BYTES]
 *                [--window W] [--churn] [--tick N] [--later] [--first NUMBER]
 *
 * Opens its connections, prints "ready", then obeys the lines of standard input:
 *
 *     slice MS    runs the load for MS ms, waits for what is in flight, prints a line of JSON.
 *                 0 ms: each active connection sends one window, and no more.
 *     open        with --later, first of all and once: opens the connections, prints a line of JSON.
 *
 * and ends with standard input. So many servers can be alive at once, each with its bench_load, and
 * short slices go round between them. A lost connection, a wrong byte or a silent server ends it
 * with a line on standard error and exit status 1. One thread; spends as little as it can on a
 * message, for the server must never wait for it if that can be helped. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "server_clock.h"

#define SLICE_MS_MAX 600000u

/* Frames are sent in pieces of up to so many bytes, one frame at least. */
#define SEND_BYTES 65536u

static uint64_t own_cpu_ns(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static double us_at(const struct histogram *histogram, uint32_t per_million)
{
    return (double)histogram_at(histogram, per_million) / 1000.0;
}

static void print_slice(const struct load *load, const struct server_time *before,
                        const struct server_time *after, uint64_t wall_ns, uint64_t load_cpu_ns)
{
    printf("{\"messages\": %" PRIu64 ", \"wall_ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64
           ", \"user_ticks\": %" PRIu64 ", \"system_ticks\": %" PRIu64 ", \"load_cpu_ns\": %" PRIu64
           ", \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
           load->messages, wall_ns, after->cpu_ns - before->cpu_ns,
           after->user_ticks - before->user_ticks, after->system_ticks - before->system_ticks,
           load_cpu_ns, us_at(&load->latency, 500000), us_at(&load->latency, 990000),
           (double)load->latency.max / 1000.0);
    (void)fflush(stdout);
}

/* The kernel books a thread's time when it goes to sleep, or at the next timer interrupt, up to 10
 * ms later: a server that has just sent its last answer must be given the time to fall asleep. */
static void await_sleep(void)
{
    struct timespec while_it_falls = {.tv_nsec = 2000000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &while_it_falls, NULL);
}

static bool open_later(struct load *load, uint64_t duration_ns)
{
    (void)duration_ns;
    return echo_open(load, true);
}

typedef bool work_fn(struct load *load, uint64_t duration_ns);

/* Does it and prints what it cost. */
static bool measure(struct load *load, work_fn *work, uint64_t duration_ns)
{
    struct server_time before;
    struct server_time after;
    load->begun = 0;
    load->messages = 0;
    memset(&load->latency, 0, sizeof(load->latency));
    if (!server_time_read(load->options.server_pid, &before)) {
        return lost("the server's clock");
    }
    uint64_t load_cpu_ns = own_cpu_ns();
    uint64_t start = now_ns();
    bool good = work(load, duration_ns);
    uint64_t wall_ns = now_ns() - start;
    load_cpu_ns = own_cpu_ns() - load_cpu_ns;
    if (!good) {
        return false;
    }
    await_sleep();
    if (!server_time_read(load->options.server_pid, &after)) {
        return lost("the server's clock");
    }
    print_slice(load, &before, &after, wall_ns, load_cpu_ns);
    return true;
}

static work_fn *slice_of(const struct load_options *options)
{
    if (options->churn) {
        return churn_slice;
    }
    return options->tick > 0 ? tick_slice : echo_slice;
}

static bool obey(struct load *load, const char *line)
{
    static const char slice[] = "slice ";
    char *end;
    if (strcmp(line, "open\n") == 0 && load->options.later && !load->open) {
        load->open = true;
        return measure(load, open_later, 0);
    }
    if (strncmp(line, slice, sizeof(slice) - 1) == 0) {
        unsigned long duration_ms = strtoul(line + sizeof(slice) - 1, &end, 10);
        if (*end == '\n' && duration_ms <= SLICE_MS_MAX && load->open) {
            return measure(load, slice_of(&load->options), (uint64_t)duration_ms * 1000000u);
        }
    }
    (void)fprintf(stderr, "bench_load: do not understand: %s", line);
    return false;
}

static bool prepare(struct load *load)
{
    struct rlimit limit;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    size_t frame = FRAME_HEADER + load->options.size;
    size_t capacity = frame < SEND_BYTES ? SEND_BYTES / frame : 1;
    load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll_fd < 0 ||
        !frames_create(&load->frames, load->options.size, capacity, load->options.typed)) {
        return lost("start");
    }
    load->open = !load->options.later;
    return load->options.churn ||
           (echo_create(load) && (load->options.later || echo_open(load, false)));
}

int main(int argc, char **argv)
{
    static struct load load;
    char line[64];
    if (!load_options_read(&load.options, argc, argv)) {
        return 2;
    }
    bool good = prepare(&load);
    if (good) {
        (void)puts("ready");
        (void)fflush(stdout);
    }
    while (good && fgets(line, sizeof(line), stdin) != NULL) {
        good = obey(&load, line);
    }
    echo_close(&load);
    frames_destroy(&load.frames);
    return good ? 0 : 1;
}

/* SPDX-License-Identifier: MIT
 * The campaign: a process for each job takes a seed from a pipe and answers its result; one that
 * dies has failed its seed, and another takes its place. */
#include "campaign.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"
#include "sums.h"

#define JOBS_MAX 64u

/* Reports of failures that are printed in full; the rest are named at the end. */
#define REPORTS_MAX 5u

struct job {
    pid_t pid;
    int seeds;   /* we write */
    int results; /* we read */
    uint64_t seed;
    bool is_busy;
};

struct order {
    uint64_t seed;
    uint32_t verify;
};

static struct job jobs[JOBS_MAX];
static struct sums sums;

static double wall_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void campaign_run_one(const struct options *options, uint64_t seed, bool verify,
                      struct run_result *result)
{
    static struct plan plan;
    options_plan(options, seed, &plan);
    failure_set_limit();
    run_plan(&plan, options->trace, result);
    if (verify) {
        struct run_result again;
        failure_set_limit();
        run_plan(&plan, false, &again);
        if (again.hash != result->hash || again.steps != result->steps) {
            (void)fprintf(stderr, "seed %llu: the same seed gave two different runs\n",
                          (unsigned long long)seed);
            abort();
        }
    }
}

/* ---- the processes ---- */

static _Noreturn void serve(const struct options *options, int seeds, int results)
{
    struct order order;
    while (read(seeds, &order, sizeof order) == (ssize_t)sizeof order) {
        struct run_result result;
        campaign_run_one(options, order.seed, order.verify != 0, &result);
        if (write(results, &result, sizeof result) != (ssize_t)sizeof result) {
            break;
        }
    }
    _exit(0);
}

static void start_job(const struct options *options, struct job *job)
{
    int seeds[2];
    int results[2];
    if (pipe(seeds) != 0 || pipe(results) != 0) {
        perror("pipe");
        exit(2);
    }
    (void)fflush(stdout);
    job->pid = fork();
    if (job->pid < 0) {
        perror("fork");
        exit(2);
    }
    if (job->pid == 0) {
        (void)close(seeds[1]);
        (void)close(results[0]);
        for (uint32_t i = 0; i < options->jobs; i++) {
            if (jobs[i].pid > 0 && &jobs[i] != job) {
                (void)close(jobs[i].seeds); /* or its process would never see their end */
            }
        }
        if (sums.failed_count >= REPORTS_MAX && freopen("/dev/null", "w", stderr) == NULL) {
            _exit(2);
        }
        serve(options, seeds[0], results[1]);
    }
    (void)close(seeds[0]);
    (void)close(results[1]);
    job->seeds = seeds[1];
    job->results = results[0];
    job->is_busy = false;
}

static void end_job(struct job *job)
{
    int status;
    (void)close(job->seeds);
    (void)close(job->results);
    (void)waitpid(job->pid, &status, 0);
    job->pid = 0;
}

/* ---- the seeds ---- */

struct supply {
    const struct options *options;
    uint64_t given;
    double end;
};

static bool next_order(struct supply *supply, struct order *order)
{
    const struct options *options = supply->options;
    if (options->first_only && sums.failed_count > 0) {
        return false;
    }
    if (options->list != NULL) {
        if (supply->given == options->list_count) {
            return false;
        }
        order->seed = options->list[supply->given];
    } else {
        order->seed = options->first + supply->given;
        if (options->seconds > 0 ? wall_seconds() >= supply->end : order->seed > options->last) {
            return false;
        }
    }
    order->verify = options->verify_each > 0 && supply->given % options->verify_each == 0 ? 1 : 0;
    supply->given++;
    return true;
}

static void give_seed(const struct options *options, struct supply *supply, struct job *job)
{
    struct order order = {0};
    if (!next_order(supply, &order)) {
        return;
    }
    if (job->pid == 0) {
        start_job(options, job);
    }
    job->seed = order.seed;
    job->is_busy = write(job->seeds, &order, sizeof order) == (ssize_t)sizeof order;
}

static void take_result(const struct options *options, struct job *job)
{
    struct run_result result;
    if (read(job->results, &result, sizeof result) == (ssize_t)sizeof result) {
        sums_add(&sums, &result);
        if (!options->quiet && options->seconds == 0) {
            campaign_print_run(&result);
        }
    } else {
        sums_fail(&sums, job->seed);
        end_job(job);
    }
    job->is_busy = false;
}

/* ---- the loop ---- */

static uint32_t busy_jobs(const struct options *options, struct pollfd *fds, struct job **of_fd)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < options->jobs; i++) {
        if (jobs[i].is_busy) {
            of_fd[count] = &jobs[i];
            fds[count++] = (struct pollfd){.fd = jobs[i].results, .events = POLLIN};
        }
    }
    return count;
}

uint32_t campaign_run(const struct options *given)
{
    struct options options = *given;
    options.jobs = options.jobs > JOBS_MAX ? JOBS_MAX : options.jobs;
    struct supply supply = {.options = &options, .end = wall_seconds() + options.seconds};
    double begin = wall_seconds();
    double told = begin;
    (void)signal(SIGPIPE, SIG_IGN);
    for (uint32_t i = 0; i < options.jobs; i++) {
        give_seed(&options, &supply, &jobs[i]);
    }
    struct pollfd fds[JOBS_MAX];
    struct job *of_fd[JOBS_MAX];
    uint32_t count;
    while ((count = busy_jobs(&options, fds, of_fd)) > 0) {
        (void)poll(fds, count, 1000);
        for (uint32_t i = 0; i < count; i++) {
            if (fds[i].revents != 0) {
                take_result(&options, of_fd[i]);
                give_seed(&options, &supply, of_fd[i]);
            }
        }
        if (options.seconds > 0 && !options.json && wall_seconds() - told >= 1) {
            told = wall_seconds();
            sums_print_progress(&sums, told - begin);
        }
    }
    for (uint32_t i = 0; i < options.jobs; i++) {
        if (jobs[i].pid > 0) {
            end_job(&jobs[i]);
        }
    }
    sums_print(&sums, &options, wall_seconds() - begin);
    return sums.failed_count;
}

/* SPDX-License-Identifier: MIT
 * See run.h. Looks every few milliseconds whether a phase is over; the swarm's threads do the
 * work. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "kernel_table.h"
#include "load.h"
#include "progress.h"
#include "scenario.h"

#define LOOK_MS 5

/* How long closing may take: a little more than the swarm waits for a peer. */
#define CLOSE_NS UINT64_C(8000000000)

/* The swarm takes up to the first by itself, per thread; more than the second is too much to
 * ask. */
#define ASSEMBLY_MODEST ((size_t)64 * 1024 * 1024)
#define ASSEMBLY_MOST ((size_t)1024 * 1024 * 1024)

struct run {
    const struct stress_options *options;
    struct load *load;
    struct progress progress;
    uint64_t start_ns;
    uint64_t connected_ns; /* the last one of CONNECT */
    uint64_t talk_ns;
    uint32_t signals;
    uint64_t server_looked_ns;
    struct server_usage server; /* at the last look */
};

/* Puts what is true now on the timeline; asks for the server's process once a second. */
static void look_around(struct run *run, const struct totals *totals, uint64_t now_ns)
{
    struct timeline *timeline = load_own_timeline(run->load);
    uint32_t pid = run->options->server_pid;
    if (timeline == NULL) {
        return;
    }
    if (pid != 0 && now_ns - run->server_looked_ns >= TIMELINE_SECOND_NS) {
        run->server_looked_ns = now_ns;
        (void)server_usage_read(pid, &run->server); /* a server that is gone stays as it was */
    }
    struct timeline_point *point = timeline_at(timeline, now_ns);
    point->looked = true;
    uint32_t up = atomic_load_explicit(&run->load->up, memory_order_relaxed);
    point->up = up > point->up ? up : point->up;
    point->errors = tally_errors(totals);
    point->server_rss_bytes = run->server.rss_bytes;
    point->server_cpu_seconds = run->server.cpu_seconds;
}

/* The totals of now; shows progress; sleeps a little before. */
static uint64_t look(struct run *run, struct totals *totals)
{
    run->signals += interrupt_wait(LOOK_MS);
    load_totals(run->load, totals);
    uint64_t now_ns = throng_swarm_now_ns();
    progress_show(&run->progress, totals,
                  atomic_load_explicit(&run->load->up, memory_order_relaxed), now_ns);
    look_around(run, totals, now_ns);
    return now_ns;
}

/* Bounded by the connect time-out of each connection. */
static void wait_for_connects(struct run *run, struct outcome *outcome)
{
    struct totals totals;
    uint64_t tried;
    progress_phase(&run->progress, "connecting");
    do {
        (void)look(run, &totals);
        tried = totals.opened + totals.refused + totals.timed_out + totals.not_made;
    } while (tried < run->options->connections && run->signals == 0);
    run->connected_ns = totals.last_open_ns;
    outcome->first_opened = totals.opened;
}

/* Until each connection that is up may talk. Bounded as the drain: some have to become ready. */
static void get_ready(struct run *run)
{
    struct totals totals;
    progress_phase(&run->progress, run->load->scenario->ready);
    load_enter(run->load, LOAD_READY);
    uint64_t patience_ns = run->options->drain_timeout_ms * UINT64_C(1000000);
    uint64_t progress_ns = throng_swarm_now_ns();
    uint64_t ready = 0;
    uint64_t now_ns;
    bool over;
    do {
        now_ns = look(run, &totals);
        if (totals.ready != ready) {
            ready = totals.ready;
            progress_ns = now_ns;
        }
        over = ready >= atomic_load_explicit(&run->load->up, memory_order_relaxed);
    } while (!over && now_ns - progress_ns < patience_ns && run->signals == 0);
}

static void talk(struct run *run)
{
    struct totals totals;
    uint64_t now_ns;
    progress_phase(&run->progress, "talking");
    load_enter(run->load, LOAD_TALK);
    run->talk_ns = tally_read(&run->load->talk_start_ns);
    uint64_t progress_ns = run->talk_ns;
    uint64_t stall_ns = run->options->drain_timeout_ms * UINT64_C(1000000);
    uint64_t settled = 0;
    bool over;
    do {
        /* Asked first: whoever was in the phase then had counted its talkers. */
        bool talking = load_in_phase(run->load, LOAD_TALK);
        now_ns = look(run, &totals);
        if (totals.settled != settled || totals.settled + totals.abandoned >= totals.expected) {
            settled = totals.settled;
            progress_ns = now_ns;
        }
        /* Without a time limit a server that answers nothing any more ends the talk. */
        bool stalled = run->options->talk_ns == UINT64_MAX && now_ns - progress_ns > stall_ns;
        over = stalled || now_ns - run->talk_ns >= run->options->talk_ns ||
               (talking && totals.talkers == 0);
    } while (!over && run->signals == 0);
}

/* Until every message is accounted for, or none was for the time that --drain-timeout says. */
static void drain(struct run *run)
{
    struct totals totals;
    progress_phase(&run->progress, "draining");
    load_enter(run->load, LOAD_DRAIN);
    uint64_t patience_ns = run->options->drain_timeout_ms * UINT64_C(1000000);
    uint64_t progress_ns = throng_swarm_now_ns();
    uint64_t settled = 0;
    uint64_t now_ns;
    bool over;
    do {
        /* Asked first: counts read after it are final on the sending side. */
        bool quiet = load_in_phase(run->load, LOAD_DRAIN);
        now_ns = look(run, &totals);
        if (totals.settled + totals.verified != settled) {
            settled = totals.settled + totals.verified;
            progress_ns = now_ns;
        }
        over = quiet && totals.pending == 0 && totals.settled + totals.abandoned >= totals.expected;
    } while (!over && now_ns - progress_ns < patience_ns && run->signals < 2);
}

static void idle(struct run *run)
{
    struct totals totals;
    progress_phase(&run->progress, "idle");
    load_enter(run->load, LOAD_IDLE);
    uint64_t start_ns = throng_swarm_now_ns();
    while (run->signals == 0 && look(run, &totals) - start_ns < run->options->idle_ns) {
        /* the connections have to stay as they are */
    }
}

/* Both ends' counts, while the connections are still there. */
static void look_at_both_ends(const struct run *run, struct outcome *outcome)
{
    uint16_t ports[THRONG_SWARM_TARGETS_MAX];
    outcome->alive = atomic_load_explicit(&run->load->up, memory_order_relaxed);
    for (uint32_t i = 0; i < run->options->target_count; i++) {
        if (!kernel_table_port(run->options->targets[i], &ports[i])) {
            return;
        }
    }
    outcome->has_established =
        kernel_table_established(ports, run->options->target_count, &outcome->established);
}

/* Says goodbye to each; those that take too long are reset by throng_swarm_stop. */
static void close_all(struct run *run)
{
    struct totals totals;
    progress_phase(&run->progress, "closing");
    uint32_t signals = run->signals;
    load_enter(run->load, LOAD_CLOSE);
    uint64_t start_ns = throng_swarm_now_ns();
    while (atomic_load_explicit(&run->load->up, memory_order_relaxed) > 0 &&
           look(run, &totals) - start_ns < CLOSE_NS && run->signals == signals) {
        /* each on_closed makes it one less */
    }
}

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static void count_errors(const struct run *run, struct outcome *outcome)
{
    const struct totals *totals = &outcome->totals;
    bool churns = run->options->scenario == SCENARIO_CHURN;
    /* What a server invented is settled without having been expected. */
    outcome->unanswered = totals->expected > totals->settled ? totals->expected - totals->settled
                                                             : 0;
    outcome->failed = churns ? totals->refused + totals->timed_out + totals->not_made
                             : run->options->connections - totals->opened;
    outcome->unready = run->load->scenario->ready == NULL ? 0 : totals->opened - totals->ready;
    outcome->errors = outcome->failed + outcome->unready + totals->reset + totals->ended +
                      totals->broken + totals->lost + totals->duplicated + totals->reordered +
                      totals->corrupted + totals->foreign + outcome->unanswered;
}

/* The outcome keeps the memory. */
static void gather_timeline(struct load *load, struct outcome *outcome)
{
    outcome->timelines = load->timelines;
    outcome->timeline = load_own_timeline(load);
    load->timelines = NULL;
    for (uint32_t i = 0; outcome->timeline != NULL && i < outcome->threads; i++) {
        timeline_merge(outcome->timeline, &outcome->timelines[i]);
    }
}

void run_release(struct outcome *outcome)
{
    free(outcome->timelines);
}

/* After the threads have ended: their histograms are ours to read. */
static void gather(struct run *run, struct outcome *outcome)
{
    load_totals(run->load, &outcome->totals);
    for (uint32_t i = 0; i < outcome->threads; i++) {
        if (run->load->threads[i].thread_count > 0) {
            histogram_merge(&outcome->latency, &run->load->threads[i].latency);
            histogram_merge(&outcome->connect, &run->load->threads[i].connect);
        }
    }
    if (run->load->scenario->gather != NULL) {
        run->load->scenario->gather(run->load, outcome);
    }
    gather_timeline(run->load, outcome);
    outcome->peak = atomic_load_explicit(&run->load->peak, memory_order_relaxed);
    outcome->connect_seconds = seconds_between(run->start_ns, run->connected_ns);
    outcome->talk_seconds = seconds_between(run->talk_ns, outcome->totals.last_echo_ns);
    outcome->interrupted = run->signals > 0;
    count_errors(run, outcome);
    process_usage(&outcome->usage);
}

/* Memory of the swarm for payloads that arrive in pieces: room for one of each connection, in
 * blocks of powers of two, and a quarter more for those that move to a larger block. 0: the swarm's
 * own choice, which is as much where it is modest. What is not needed is not touched. */
static size_t assembly_bytes_for(const struct stress_options *options)
{
    size_t block = 1;
    size_t longest = 1;
    while (block < options->size_max) {
        block *= 2;
    }
    while (longest < options->message_max) {
        longest *= 2;
    }
    size_t wanted = options->connections * block / 4 * 5;
    size_t bytes = wanted < ASSEMBLY_MOST ? wanted : ASSEMBLY_MOST;
    return bytes > ASSEMBLY_MODEST && bytes > 4 * longest ? bytes : 0;
}

static void fill_swarm_options(struct throng_swarm_options *swarm, struct load *load)
{
    const struct stress_options *options = load->options;
    throng_swarm_options_init(swarm);
    memcpy(swarm->targets, options->targets, sizeof(swarm->targets));
    swarm->connections = options->connections;
    swarm->threads = options->threads;
    swarm->message_bytes_max = options->message_max;
    swarm->byte_order = options->byte_order;
    swarm->connects_per_second = options->connect_rate;
    swarm->connect_timeout_ms = options->connect_timeout_ms;
    swarm->assembly_bytes = assembly_bytes_for(options);
    swarm->source = options->source;
    swarm->source_count = options->source_count;
    swarm->backend = options->backend;
    swarm->heartbeat_ms = options->heartbeat_ms;
    swarm->handler = load_handler(load);
}

static void run_phases(struct run *run, struct outcome *outcome)
{
    wait_for_connects(run, outcome);
    if (run->signals == 0 && run->load->scenario->ready != NULL) {
        get_ready(run);
    }
    if (run->signals == 0) {
        talk(run);
        drain(run);
    }
    if (run->signals == 0 && run->options->idle_ns > 0) {
        idle(run);
    }
    look_at_both_ends(run, outcome);
    if (outcome->has_server) {
        (void)server_usage_read(run->options->server_pid, &outcome->server_end);
    }
    close_all(run);
    progress_end(&run->progress);
}

static void say_sources(const struct stress_options *options, const struct outcome *outcome)
{
    if (outcome->sources > 1 && options->source.family == THRONG_ADDRESS_NONE) {
        fprintf(stderr,
                "one source address has not enough ports for %u connections: using %u source "
                "addresses\n",
                options->connections, outcome->sources);
    }
}

/* What only a look at the machine and at this build can tell. */
static int check_surroundings(const struct stress_options *options, struct throng_error *error)
{
    struct server_usage usage;
    if (!scenario_is_built(options->scenario)) {
        (void)snprintf(
            error->text, sizeof(error->text),
            "--scenario is \"%s\", which this build has not: it was made without MessagePack",
            stress_scenario_name(options->scenario));
        return THRONG_EINVAL;
    }
    if (options->server_pid != 0 && !server_usage_read(options->server_pid, &usage)) {
        (void)snprintf(
            error->text, sizeof(error->text),
            "--server-pid is \"%u\"; it must be a process that this system lets us look at",
            options->server_pid);
        return THRONG_EINVAL;
    }
    return 0;
}

int run_load(const struct stress_options *options, struct outcome *outcome,
             struct throng_error *error)
{
    struct load load;
    struct throng_swarm_options swarm;
    memset(outcome, 0, sizeof(*outcome));
    int result = check_surroundings(options, error);
    if (result < 0) {
        return result;
    }
    result = load_create(&load, options);
    if (result < 0) {
        (void)snprintf(error->text, sizeof(error->text),
                       "the system has no memory for %u "
                       "connections with payloads of %u bytes",
                       options->connections, options->size_max);
        return result;
    }
    struct run run = {.options = options, .load = &load};
    outcome->has_server = options->server_pid != 0 &&
                          server_usage_read(options->server_pid, &outcome->server_begin);
    outcome->server_end = outcome->server_begin;
    run.server = outcome->server_begin;
    interrupt_prepare();
    progress_start(&run.progress, options, throng_swarm_now_ns());
    fill_swarm_options(&swarm, &load);
    run.start_ns = throng_swarm_now_ns();
    run.server_looked_ns = run.start_ns;
    load_begin(&load, run.start_ns);
    run.talk_ns = UINT64_MAX;
    result = throng_swarm_start(&load.swarm, &swarm, error);
    if (result == 0) {
        outcome->threads = throng_swarm_threads(load.swarm);
        outcome->sources = throng_swarm_source_count(load.swarm);
        outcome->backend = throng_swarm_backend(load.swarm);
        say_sources(options, outcome);
        if (load.scenario->fits != NULL) {
            result = load.scenario->fits(&load, outcome->threads, error);
        }
        if (result == 0) {
            run_phases(&run, outcome);
        }
        throng_swarm_stop(load.swarm);
        gather(&run, outcome);
    }
    load_destroy(&load);
    return result;
}

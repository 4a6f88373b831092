/* SPDX-License-Identifier: MIT
 * See accept_threads.h. The main thread waits for the signal that ends the process. */
#include "accept_threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "echo_server.h"

static struct accept_thread threads[ACCEPT_THREADS_MAX];
static accept_run_fn *run_thread;
static pthread_barrier_t all_ready;

static void *thread_main(void *thread)
{
    run_thread(thread);
    return NULL;
}

void accept_ready(void)
{
    (void)pthread_barrier_wait(&all_ready);
}

static void start_threads(uint32_t count)
{
    int listeners[ACCEPT_THREADS_MAX];
    (void)pthread_barrier_init(&all_ready, NULL, count + 1);
    echo_listen_shared(listeners, count);
    for (uint32_t i = 0; i < count; i++) {
        pthread_t id;
        threads[i].listener = listeners[i];
        if (pthread_create(&id, NULL, thread_main, &threads[i]) != 0) {
            echo_give_up("pthread_create");
        }
        (void)pthread_detach(id);
    }
    accept_ready();
    echo_announce(listeners[0]);
}

int accept_threads_main(int argc, char **argv, accept_run_fn *run)
{
    sigset_t ends;
    int number;
    uint32_t count = (uint32_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 1);
    if (count == 0 || count > ACCEPT_THREADS_MAX) {
        (void)fprintf(stderr, "THREADS is 1 to %u\n", ACCEPT_THREADS_MAX);
        return 2;
    }
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
    run_thread = run;
    start_threads(count);
    (void)sigwait(&ends, &number);
    struct echo_counts counts = {0};
    for (uint32_t i = 0; i < count; i++) {
        counts.accepted += atomic_load_explicit(&threads[i].accepted, memory_order_relaxed);
        counts.messages += atomic_load_explicit(&threads[i].messages, memory_order_relaxed);
    }
    echo_print_counts(&counts);
    return 0;
}

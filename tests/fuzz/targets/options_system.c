/* SPDX-License-Identifier: MIT
 * A system whose limits are part of the input, in place of common/src/os/thread.posix.c and of the
 * ports: so the plan of descriptors is fuzzed too, and no check costs a system call. */
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "os/thread.h"
#include "port/port.h"

struct fuzz_system fuzz_system;

uint32_t tg_processor_count(void)
{
    return fuzz_system.processors;
}

uint32_t tg_descriptor_count(void)
{
    return fuzz_system.descriptors_open;
}

uint32_t tg_descriptor_limit_raise(uint32_t wanted)
{
    return wanted < fuzz_system.descriptors_most ? wanted : fuzz_system.descriptors_most;
}

size_t fuzz_port_bytes(uint32_t streams_max, uint32_t buffers_max)
{
    return 4000 + (size_t)streams_max * 8 + (size_t)buffers_max * 16;
}

static size_t port_bytes(const struct tg_port_options *options)
{
    return fuzz_port_bytes(options->streams_max, options->buffers_max);
}

static bool has_uring_table(void)
{
    return fuzz_system.has_uring && fuzz_system.uring_has_table;
}

static bool has_no_table(void)
{
    return false;
}

static const struct tg_port_backend uring_backend = {
    .name = "io_uring", .has_own_table = has_uring_table, .memory_bytes = port_bytes};
static const struct tg_port_backend epoll_backend = {
    .name = "epoll", .has_own_table = has_no_table, .memory_bytes = port_bytes};

const struct tg_port_backend *const tg_port_backend_best = &uring_backend;

int tg_port_backend_check(const struct tg_port_backend *backend, char reason[TG_PORT_REASON_BYTES])
{
    bool works = backend == &epoll_backend || fuzz_system.has_uring;
    (void)snprintf(reason, TG_PORT_REASON_BYTES, "%s", works ? "" : "the fuzzer took it away");
    return works ? 0 : THRONG_ENOTSUP;
}

const struct tg_port_backend *tg_port_backend_find(const char *name)
{
    if (strcmp(name, "auto") == 0) {
        return fuzz_system.has_uring ? &uring_backend : &epoll_backend;
    }
    if (strcmp(name, "io_uring") == 0) {
        return &uring_backend;
    }
    return strcmp(name, "epoll") == 0 ? &epoll_backend : NULL;
}

const char *tg_port_backend_names(void)
{
    return "io_uring, epoll";
}

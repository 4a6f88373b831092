/* SPDX-License-Identifier: MIT
 * The table of faults. The first error of a row is what every run plays; the others come with
 * THRONG_TORTURE=full. */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#define REGISTER_ENABLE_RINGS 12 /* of io_uring_register; not in every system's headers */

#define FAILS(call, ...)                                                                           \
    {                                                                                              \
        .number = SYS_##call, .name = #call, .errors = {__VA_ARGS__},                              \
    }
#define FAILS_IF(call, place, wanted, ...)                                                         \
    {                                                                                              \
        .number = SYS_##call, .name = #call, .filter = FAULT_ARGUMENT_IS, .argument = (place),     \
        .value = (wanted), .errors = {__VA_ARGS__},                                                \
    }
#define FAILS_UNLESS(call, place, unwanted, ...)                                                   \
    {                                                                                              \
        .number = SYS_##call, .name = #call, .filter = FAULT_ARGUMENT_IS_NOT, .argument = (place), \
        .value = (unwanted), .errors = {__VA_ARGS__},                                              \
    }
#define LEFT(call, why)                                                                            \
    {                                                                                              \
        .number = SYS_##call, .name = #call, .reason = (why),                                      \
    }

static const char never[] = "it has no error that a sound program can meet";
static const char void_end[] = "what it ends is ended whatever it answers";
static const char libc[] = "the C library's own; it stops the process, or does without";

static const struct fault_rule rules[] = {
    /* memory */
    FAILS(mmap, ENOMEM, EAGAIN),
    FAILS(mprotect, ENOMEM),
    FAILS(mremap, ENOMEM),
    FAILS(madvise, EAGAIN, ENOMEM),
    LEFT(munmap, void_end),
    LEFT(brk, "it answers a break and no error; the failing heap is the other part's"),

    /* threads */
    FAILS(clone3, EAGAIN, ENOMEM),
    FAILS(clone, EAGAIN, ENOMEM),
    {.number = SYS_unshare,
     .name = "unshare",
     .errors = {EPERM, ENOMEM},
     .must_say = "descriptor table (unshare)"},
    FAILS(close_range, ENOSYS, ENOMEM, EMFILE),
    FAILS(sched_getaffinity, EINVAL),
    FAILS(prctl, EINVAL),
    LEFT(futex, "a wait that ends early is looped around; the C library stops at all else"),
    LEFT(set_robust_list, libc),
    LEFT(rt_sigprocmask, never),
    LEFT(rt_sigaction, never),
    LEFT(rt_sigreturn, "it does not return"),
    LEFT(exit, "it does not return"),
    LEFT(exit_group, "it does not return"),
    LEFT(restart_syscall, "the kernel's own way to go on with a call"),
    LEFT(sched_yield, never),
    LEFT(gettid, never),
    LEFT(getpid, never),
    LEFT(clock_gettime, never),
    LEFT(clock_nanosleep, "only a signal ends it early"),
    LEFT(nanosleep, "only a signal ends it early"),
#ifdef SYS_rseq
    LEFT(rseq, libc),
#endif

    /* limits and chance */
    FAILS_UNLESS(prlimit64, 2, 0, EPERM),
    LEFT(prlimit64, "reading one's own limits cannot fail"),
    FAILS(getrandom, ENOSYS),

    /* files */
    FAILS(openat, EMFILE, ENFILE, ENOMEM, EACCES),
    FAILS(newfstatat, ENOMEM),
    FAILS(fstat, ENOMEM),
    FAILS(getdents64, ENOMEM),
    FAILS(lseek, EINVAL),
    FAILS_IF(fcntl, 1, F_DUPFD_CLOEXEC, EMFILE),
    LEFT(fcntl, "flags of an open descriptor can be asked for and set"),
    FAILS(read, EINTR, EAGAIN),
    FAILS_UNLESS(write, 2, 8, ENOBUFS, ENOMEM, EAGAIN),
    LEFT(write, "eight bytes, a wake-up: an event's counter would have to be near 2^64"),
    LEFT(close, void_end),

    /* sockets; no EAGAIN where it promises that an event will follow, which would not come */
    FAILS(socket, EMFILE, ENFILE, ENOBUFS, EAFNOSUPPORT, EACCES),
    FAILS(socketpair, EMFILE, ENFILE, ENOMEM),
    FAILS(bind, EADDRINUSE, EACCES, EADDRNOTAVAIL),
    FAILS(listen, EADDRINUSE),
    FAILS(connect, ECONNREFUSED, ENETUNREACH, EAGAIN, ETIMEDOUT),
    FAILS(accept4, EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED),
    FAILS(setsockopt, ENOMEM, ENOBUFS, ENOPROTOOPT),
    FAILS(getsockopt, ENOMEM, ENOBUFS),
    FAILS(getsockname, ENOBUFS, ENOMEM),
    FAILS(getpeername, ENOTCONN, ENOBUFS),
    FAILS(sendto, ENOBUFS, EPIPE),
    FAILS(sendmsg, ENOBUFS, EPIPE),
    FAILS(recvfrom, EINTR, ECONNRESET),
    FAILS(shutdown, ENOTCONN),

    /* completion ports */
    FAILS(poll, EINTR, ENOMEM),
    FAILS(ppoll, EINTR, ENOMEM),
    FAILS(eventfd2, EMFILE, ENFILE, ENOMEM, ENODEV),
    FAILS(epoll_create1, EMFILE, ENFILE, ENOMEM),
    FAILS_IF(epoll_ctl, 1, EPOLL_CTL_ADD, ENOMEM, ENOSPC),
    LEFT(epoll_ctl, "a change of what is registered needs no memory"),
    FAILS(epoll_wait, EINTR),
    FAILS(epoll_pwait, EINTR),
#ifdef SYS_epoll_pwait2
    FAILS(epoll_pwait2, EINTR),
#endif
    FAILS(io_uring_setup, ENOMEM, EPERM, EMFILE, ENFILE, ENOSYS),
    FAILS(io_uring_enter, EAGAIN, EINTR, EBUSY, ENOMEM),
    FAILS_UNLESS(io_uring_register, 1, REGISTER_ENABLE_RINGS, ENOMEM, EINVAL),
    LEFT(io_uring_register, "enabling a ring that was set up disabled needs no memory"),
};

#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

static bool fits(const struct fault_rule *rule, long number, const uint64_t *arguments)
{
    if (rule->number != number) {
        return false;
    }
    /* The kernel looks at 32 bits of what is an int or an unsigned; the others' pointers are NULL
     * here or are not. */
    bool equal = arguments[rule->argument] == rule->value;
    return rule->filter == FAULT_ALL || equal == (rule->filter == FAULT_ARGUMENT_IS);
}

const struct fault_rule *fault_rule_for(long number, const uint64_t *arguments)
{
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (fits(&rules[i], number, arguments)) {
            return &rules[i];
        }
    }
    return NULL;
}

const char *fault_call_name(long number)
{
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (rules[i].number == number) {
            return rules[i].name;
        }
    }
    return "?";
}

const struct fault_rule *fault_rule_at(size_t index)
{
    return index < RULE_COUNT ? &rules[index] : NULL;
}

bool fault_rule_is_blanket(const struct fault_rule *rule)
{
    size_t rows = 0;
    for (size_t i = 0; i < RULE_COUNT; i++) {
        rows += rules[i].number == rule->number;
    }
    return rows == 1 && rule->errors[0] == 0;
}

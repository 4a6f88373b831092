/* SPDX-License-Identifier: MIT
 * The sandbox on Linux: landlock for files and connections, seccomp for system calls. See
 * sandbox.h.
 *
 * seccomp sees system calls, not what is asked of an io_uring: there files are opened by a ring
 * too, and landlock is what refuses it. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool sandbox_is_built(void)
{
    return true;
}

static bool complain(const char *what, int error)
{
    fprintf(stderr, "the sandbox cannot be entered: %s: %s\n", what, strerror(error));
    return false;
}

/* ---- files and connections: landlock ---- */

/* As in linux/landlock.h, which older C libraries' headers lack or know only half of. The numbers
 * of the calls are the same on every processor. */
#define LANDLOCK_CREATE_RULESET 444
#define LANDLOCK_ADD_RULE 445
#define LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_CREATE_VERSION 1u
#define LANDLOCK_PATH_BENEATH 1

#define LANDLOCK_READ_FILE (UINT64_C(1) << 2)
#define LANDLOCK_READ_DIR (UINT64_C(1) << 3)
#define LANDLOCK_CONNECT_TCP (UINT64_C(1) << 1)
#define LANDLOCK_SCOPES UINT64_C(3) /* abstract unix sockets and signals of processes outside */

struct landlock_ruleset {
    uint64_t handled_files;
    uint64_t handled_network; /* from version 4 on */
    uint64_t scoped;          /* from version 6 on */
};

struct landlock_path {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

/* What a start reads. The first four are how a name in `listen` is looked up, by files or by DNS,
 * with the C library's modules for it; the last how a thread finds its descriptors on Linux before
 * 5.9. */
static const char *const readable[] = {"/etc", "/usr/lib", "/lib", "/lib64", "/proc"};

/* How many bits of `handled_files` a kernel's version of landlock knows. */
static unsigned files_known(long version)
{
    static const unsigned known[] = {0, 13, 14, 15, 15, 16};
    return known[version < 5 ? version : 5];
}

static bool allow_reading(int ruleset, const char *path)
{
    int parent = open(path, O_PATH | O_CLOEXEC);
    if (parent < 0) {
        return errno == ENOENT || complain(path, errno); /* not every system has /lib64 */
    }
    struct landlock_path rule = {
        .allowed = LANDLOCK_READ_FILE | LANDLOCK_READ_DIR,
        .parent = parent,
    };
    long result = syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_PATH_BENEATH, &rule, 0);
    int error = errno;
    (void)close(parent);
    return result == 0 || complain(path, error);
}

static bool enter_ruleset(int ruleset)
{
    for (size_t i = 0; i < sizeof readable / sizeof readable[0]; i++) {
        if (!allow_reading(ruleset, readable[i])) {
            return false;
        }
    }
    return syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0 || complain("landlock", errno);
}

bool sandbox_close_files(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return complain("no_new_privs", errno);
    }
    long version = syscall(LANDLOCK_CREATE_RULESET, NULL, (size_t)0, LANDLOCK_CREATE_VERSION);
    if (version < 1) {
        fputs(
            "warning: this kernel has no landlock (Linux 5.13): files are closed by the filter of "
            "system calls alone\n",
            stderr);
        return true;
    }
    struct landlock_ruleset ruled = {
        .handled_files = (UINT64_C(1) << files_known(version)) - 1,
        .handled_network = version >= 4 ? LANDLOCK_CONNECT_TCP : 0,
        .scoped = version >= 6 ? LANDLOCK_SCOPES : 0,
    };
    /* An older kernel wants a shorter struct, or zeros in what it does not know. */
    int ruleset = (int)syscall(LANDLOCK_CREATE_RULESET, &ruled, sizeof ruled, 0);
    if (ruleset < 0) {
        return complain("landlock", errno);
    }
    bool is_closed = enter_ruleset(ruleset);
    (void)close(ruleset);
    return is_closed;
}

/* ---- system calls: seccomp ---- */

#define CALL(name) SCMP_SYS(name)

#define URING_ENABLE_RINGS 12u /* IORING_REGISTER_ENABLE_RINGS */

/* What a server makes while it serves and stops, whatever its arguments. */
static const int allowed[] = {
    /* connections */
    CALL(accept4),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(sendto),
    CALL(sendmsg),
    CALL(shutdown),
    CALL(close),
    CALL(setsockopt),
    CALL(getsockopt),
    CALL(getsockname),
    CALL(getpeername),
    /* waiting for them; a ring was made by the start */
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(io_uring_enter),
    CALL(futex),
    /* wake-ups, standard output and error */
    CALL(read),
    CALL(write),
    CALL(writev),
    /* time and chance */
    CALL(clock_gettime),
    CALL(gettimeofday),
    CALL(time),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(getrandom),
    /* memory, but for mmap and mprotect */
    CALL(brk),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    /* signals, threads that end, the end */
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(restart_syscall),
    CALL(sched_yield),
    CALL(getpid),
    CALL(gettid),
    CALL(exit),
    CALL(exit_group),
};

/* Calls that are made with some arguments only. */
static const struct rule {
    int call;
    struct scmp_arg_cmp argument;
} rules[] = {
    /* No memory that can be run. */
    {CALL(mmap), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    {CALL(mprotect), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    /* A thread enables its ring when it first enters it, which may be later than this. */
    {CALL(io_uring_register), {1, SCMP_CMP_EQ, URING_ENABLE_RINGS, 0}},
};

static int add_rules(scmp_filter_ctx filter)
{
    int result = 0;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0] && result == 0; i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && result == 0; i++) {
        result =
            seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rules[i].call, 1, &rules[i].argument);
    }
    if (result == 0) {
        /* abort: a failed assertion must end the process, and nobody else's. */
        const struct scmp_arg_cmp own_abort[] = {
            {0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0},
            {2, SCMP_CMP_EQ, SIGABRT, 0},
        };
        result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CALL(tgkill), 2, own_abort);
    }
    return result;
}

bool sandbox_close_calls(void)
{
    const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
    scmp_filter_ctx filter = seccomp_init(refuse);
    if (filter == NULL) {
        return complain("seccomp", ENOMEM);
    }
    int result = add_rules(filter);
    /* Calls of another processor's table (32-bit ones) are refused alike, not deadly. */
    if (result == 0) {
        result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, refuse);
    }
    if (result == 0) {
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1); /* all threads */
    }
    if (result == 0) {
        result = seccomp_load(filter);
    }
    seccomp_release(filter);
    return result == 0 || complain("seccomp", -result);
}

/* SPDX-License-Identifier: MIT
 * The attempts. See attempts.h. Bare system calls, so that no C library's fallback gets between. */
#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The error of a call that failed, or 0. */
static int error_of(long result)
{
    return result == -1 ? errno : 0;
}

/* ---- what the filter refuses ---- */

static char *const no_arguments[] = {NULL};

static int run_program(void)
{
    return error_of(syscall(SYS_execve, "/bin/true", no_arguments, no_arguments));
}

static int run_program_at(void)
{
    return error_of(syscall(SYS_execveat, AT_FDCWD, "/bin/true", no_arguments, no_arguments, 0));
}

/* A child that came to be ends at once: the attempt has succeeded. */
static int end_child(long result)
{
    if (result == 0) {
        _exit(0);
    }
    return error_of(result);
}

static int make_process(void)
{
    return end_child(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int make_process_anew(void)
{
    uint64_t arguments[8] = {[4] = SIGCHLD};
    return end_child(syscall(SYS_clone3, arguments, sizeof arguments));
}

static int read_passwords(void)
{
    return error_of(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
}

static int open_by_new_call(void)
{
    uint64_t how[3] = {O_RDONLY};
    return error_of(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof how));
}

static int write_file(void)
{
    return error_of(
        syscall(SYS_openat, AT_FDCWD, "/tmp/throng-intruder", O_WRONLY | O_CREAT, 0600));
}

static int remove_file(void)
{
    return error_of(syscall(SYS_unlinkat, AT_FDCWD, "/tmp/throng-nothing", 0));
}

static int look_at_file(void)
{
    struct stat status;
    return error_of(syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &status, 0));
}

static int make_tcp_socket(void)
{
    return error_of(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
}

static int make_unix_socket(void)
{
    return error_of(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
}

static int make_netlink_socket(void)
{
    return error_of(syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0));
}

static int trace(void)
{
    return error_of(syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0));
}

static int read_other_memory(void)
{
    return error_of(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}

static int kill_other(void)
{
    return error_of(syscall(SYS_kill, getppid(), 0));
}

static int signal_other_thread(void)
{
    return error_of(syscall(SYS_tgkill, 1, 1, SIGABRT));
}

static int signal_self_otherwise(void)
{
    return error_of(syscall(SYS_tgkill, getpid(), getpid(), SIGCONT));
}

static int map_code(void)
{
    long result = syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return error_of(result);
}

static _Alignas(4096) char page[4096];

static int make_code_of_data(void)
{
    return error_of(syscall(SYS_mprotect, page, sizeof page, PROT_READ | PROT_EXEC));
}

static int make_memory_file(void)
{
    return error_of(syscall(SYS_memfd_create, "x", 0));
}

static int become_root(void)
{
    return error_of(syscall(SYS_setuid, 0));
}

static int make_ring(void)
{
    struct io_uring_params params;
    memset(&params, 0, sizeof params);
    return error_of(syscall(SYS_io_uring_setup, 1, &params));
}

static int make_namespace(void)
{
    return error_of(syscall(SYS_unshare, CLONE_NEWUSER));
}

static int load_bpf(void)
{
    return error_of(syscall(SYS_bpf, 0, NULL, 0));
}

static int change_process(void)
{
    return error_of(syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1, 0, 0, 0));
}

#define ATTEMPT(name)                                                                              \
    {                                                                                              \
#name, name                                                                                \
    }

const struct attempt attempts[] = {
    ATTEMPT(run_program),
    ATTEMPT(run_program_at),
    ATTEMPT(make_process),
    ATTEMPT(make_process_anew),
    ATTEMPT(read_passwords),
    ATTEMPT(open_by_new_call),
    ATTEMPT(write_file),
    ATTEMPT(remove_file),
    ATTEMPT(look_at_file),
    ATTEMPT(make_tcp_socket),
    ATTEMPT(make_unix_socket),
    ATTEMPT(make_netlink_socket),
    ATTEMPT(trace),
    ATTEMPT(read_other_memory),
    ATTEMPT(kill_other),
    ATTEMPT(signal_other_thread),
    ATTEMPT(signal_self_otherwise),
    ATTEMPT(map_code),
    ATTEMPT(make_code_of_data),
    ATTEMPT(make_memory_file),
    ATTEMPT(become_root),
    ATTEMPT(make_ring),
    ATTEMPT(make_namespace),
    ATTEMPT(load_bpf),
    ATTEMPT(change_process),
};
const size_t attempt_count = sizeof attempts / sizeof attempts[0];

/* ---- what landlock refuses ---- */

static int read_memory_of_programs(void)
{
    return error_of(syscall(SYS_openat, AT_FDCWD, "/dev/zero", O_RDONLY));
}

static int list_root(void)
{
    return error_of(syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY));
}

static int write_where_it_reads(void)
{
    return error_of(syscall(SYS_openat, AT_FDCWD, "/proc/self/comm", O_WRONLY));
}

static int make_folder(void)
{
    return error_of(syscall(SYS_mkdirat, AT_FDCWD, "/tmp/throng-intruder", 0700));
}

const struct attempt file_attempts[] = {
    ATTEMPT(run_program), ATTEMPT(write_file),           ATTEMPT(read_memory_of_programs),
    ATTEMPT(list_root),   ATTEMPT(write_where_it_reads), ATTEMPT(make_folder),
};
const size_t file_attempt_count = sizeof file_attempts / sizeof file_attempts[0];

/* ---- the ring ---- */

static struct {
    int descriptor;
    struct io_uring_params params;
    uint8_t *queues;
    struct io_uring_sqe *entries;
} ring;

bool attempt_ring_prepare(void)
{
    memset(&ring.params, 0, sizeof ring.params);
    ring.descriptor = (int)syscall(SYS_io_uring_setup, 1, &ring.params);
    if (ring.descriptor < 0 || (ring.params.features & IORING_FEAT_SINGLE_MMAP) == 0) {
        return false;
    }
    ring.queues =
        mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, ring.descriptor, IORING_OFF_SQ_RING);
    ring.entries = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring.descriptor,
                        (off_t)IORING_OFF_SQES);
    return ring.queues != MAP_FAILED && (void *)ring.entries != MAP_FAILED;
}

static uint32_t *word(uint32_t offset)
{
    return (uint32_t *)(void *)(ring.queues + offset);
}

int attempt_ring_open(const char *path, int flags)
{
    memset(ring.entries, 0, sizeof *ring.entries);
    ring.entries->opcode = IORING_OP_OPENAT;
    ring.entries->fd = AT_FDCWD;
    ring.entries->addr = (uintptr_t)path;
    ring.entries->open_flags = (uint32_t)flags;
    *word(ring.params.sq_off.array) = 0;
    __atomic_fetch_add(word(ring.params.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring.descriptor, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1) {
        return errno;
    }
    uint32_t head = __atomic_fetch_add(word(ring.params.cq_off.head), 1, __ATOMIC_ACQ_REL);
    const struct io_uring_cqe *results = (const void *)(ring.queues + ring.params.cq_off.cqes);
    int result = results[head & *word(ring.params.cq_off.ring_mask)].res;
    return result < 0 ? -result : 0;
}

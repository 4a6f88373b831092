/* SPDX-License-Identifier: MIT
 * The child's side of the runner: a seccomp filter that passes the calls that nobody lets fail and
 * asks the parent about all others, and its way to the parent. */
#include "filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faults.h"
#include "runner.h"

#define PROGRAM_MAX 128u

int filter_channel = -1;

/* ---- the descriptor's way ---- */

union descriptor_room {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

static bool send_descriptor(int channel, int descriptor)
{
    union descriptor_room control;
    char byte = 'f';
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    memset(&control, 0, sizeof(control));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    return sendmsg(channel, &message, 0) == 1;
}

int filter_take(int channel)
{
    union descriptor_room control;
    char byte;
    int descriptor = -1;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) == 1) {
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
            memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
        }
    }
    return descriptor;
}

/* ---- the filter ---- */

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short count;
};

static void add(struct program *program, struct sock_filter instruction)
{
    program->code[program->count++] = instruction;
}

/* The calls that are left alone, and the one by which the parent gets the filter itself. */
static void write_program(struct program *program)
{
    const struct fault_rule *rule;
    add(program,
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    for (size_t i = 0; (rule = fault_rule_at(i)) != NULL; i++) {
        if (fault_rule_is_blanket(rule)) {
            add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                      (uint32_t)rule->number, 0, 1));
            add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        }
    }
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 3));
    add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                              offsetof(struct seccomp_data, args)));
    add(program,
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)filter_channel, 0, 1));
    add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
}

bool run_filter_calls(void)
{
    struct program program = {.count = 0};
    write_program(&program);
    const struct sock_fprog filter = {.len = program.count, .filter = program.code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return false;
    }
    long listener =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    if (listener < 0) {
        return false;
    }
    bool is_sent = send_descriptor(filter_channel, (int)listener);
    (void)close((int)listener);
    return is_sent;
}

void run_mark(enum run_window window, uint32_t phase)
{
    (void)syscall(FILTER_MARK, (long)window, (long)phase);
}

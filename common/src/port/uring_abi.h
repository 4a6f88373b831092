/* SPDX-License-Identifier: MIT
 * The part of Linux's io_uring interface that the backend uses, in its own names, so that the build
 * needs no kernel headers of a certain age. Each constant says which kernel brought it; those
 * without a number are older than 6.1, the oldest kernel that the backend accepts. Included by the
 * uring files only. Source: include/uapi/linux/io_uring.h of Linux 6.18. */
#ifndef TG_PORT_URING_ABI_H
#define TG_PORT_URING_ABI_H

#include <stdint.h>

/* System calls, the same numbers on every architecture. */
#define TG_SYS_IO_URING_SETUP 425
#define TG_SYS_IO_URING_ENTER 426
#define TG_SYS_IO_URING_REGISTER 427

/* A submission queue entry. The kernel's unions are named here by what we put into them. */
struct tg_sqe {
    uint8_t opcode;
    uint8_t flags;
    uint16_t ioprio; /* receive and accept: flags of the operation */
    int32_t fd;
    uint64_t off;
    uint64_t addr;
    uint32_t len;
    uint32_t op_flags;
    uint64_t user_data;
    uint16_t buf_group;
    uint16_t personality;
    uint32_t file_index; /* receive: most bytes in all (6.18) */
    uint64_t addr3;
    uint64_t reserved;
};
_Static_assert(sizeof(struct tg_sqe) == 64, "the kernel's layout");

struct tg_cqe {
    uint64_t user_data;
    int32_t res;
    uint32_t flags;
};
_Static_assert(sizeof(struct tg_cqe) == 16, "the kernel's layout");

struct tg_uring_sq_offsets {
    uint32_t head, tail, mask, entries, flags, dropped, array, reserved;
    uint64_t user_addr;
};

struct tg_uring_cq_offsets {
    uint32_t head, tail, mask, entries, overflow, cqes, flags, reserved;
    uint64_t user_addr;
};

struct tg_uring_params {
    uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd;
    uint32_t reserved[3];
    struct tg_uring_sq_offsets sq;
    struct tg_uring_cq_offsets cq;
};
_Static_assert(sizeof(struct tg_uring_params) == 120, "the kernel's layout");

enum tg_uring_setup {
    TG_SETUP_CQSIZE = 1u << 3,
    TG_SETUP_R_DISABLED = 1u << 6,
    TG_SETUP_SUBMIT_ALL = 1u << 7,
    TG_SETUP_SINGLE_ISSUER = 1u << 12,
    TG_SETUP_DEFER_TASKRUN = 1u << 13, /* 6.1 */
};

enum tg_uring_feature {
    TG_FEATURE_SINGLE_MMAP = 1u << 0,
    TG_FEATURE_NODROP = 1u << 1,
    TG_FEATURE_SUBMIT_STABLE = 1u << 2,
    TG_FEATURE_EXT_ARG = 1u << 8,
    TG_FEATURE_CQE_SKIP = 1u << 11,
};

enum tg_uring_enter {
    TG_ENTER_GETEVENTS = 1u << 0,
    TG_ENTER_EXT_ARG = 1u << 3,
};

/* Where the rings are mapped. */
#define TG_OFFSET_RINGS 0ull
#define TG_OFFSET_SQES 0x10000000ull

enum tg_sq_flag {
    TG_SQ_CQ_OVERFLOW = 1u << 1, /* completions wait in the kernel for room in the ring */
    TG_SQ_TASKRUN = 1u << 2,
};

enum tg_uring_op {
    TG_OP_NOP = 0,
    TG_OP_POLL_ADD = 6,
    TG_OP_SENDMSG = 9,
    TG_OP_ACCEPT = 13,
    TG_OP_ASYNC_CANCEL = 14,
    TG_OP_CONNECT = 16,
    TG_OP_CLOSE = 19,
    TG_OP_FILES_UPDATE = 20,
    TG_OP_SEND = 26,
    TG_OP_RECV = 27,
    TG_OP_SHUTDOWN = 34,
    TG_OP_FIXED_FD_INSTALL = 54, /* 6.8 */
};

enum tg_sqe_flag {
    TG_SQE_FIXED_FILE = 1u << 0,
    TG_SQE_BUFFER_SELECT = 1u << 5,
    TG_SQE_SKIP_SUCCESS = 1u << 6,
};

#define TG_RECV_MULTISHOT (1u << 1) /* ioprio, 6.0 */
#define TG_POLL_MULTISHOT (1u << 0) /* len */
#define TG_CANCEL_ALL (1u << 0)     /* op_flags */
#define TG_FILE_INDEX_ALLOC UINT32_MAX

enum tg_cqe_flag {
    TG_CQE_BUFFER = 1u << 0,     /* the upper 16 bits name the buffer */
    TG_CQE_MORE = 1u << 1,       /* the request goes on */
    TG_CQE_BUFFER_MORE = 1u << 4 /* 6.12: and so does the buffer */
};
#define TG_CQE_BUFFER_SHIFT 16

enum tg_uring_register {
    TG_REGISTER_PROBE = 8,
    TG_REGISTER_ENABLE_RINGS = 12,
    TG_REGISTER_FILES2 = 13,
    TG_REGISTER_PBUF_RING = 22, /* 5.19 */
};

#define TG_FILES_SPARSE (1u << 0)

struct tg_uring_files {
    uint32_t count;
    uint32_t flags;
    uint64_t reserved;
    uint64_t data;
    uint64_t tags;
};

/* A provided buffer; the ring's tail lies in the last two bytes of the first. */
struct tg_uring_buffer {
    uint64_t addr;
    uint32_t len;
    uint16_t id;
    uint16_t tail;
};

#define TG_PBUF_INCREMENTAL (1u << 1) /* 6.12 */

struct tg_uring_buffer_ring {
    uint64_t addr;
    uint32_t entries;
    uint16_t group;
    uint16_t flags;
    uint64_t reserved[3];
};

struct tg_uring_timespec {
    int64_t tv_sec;
    int64_t tv_nsec;
};

struct tg_uring_wait {
    uint64_t sigmask;
    uint32_t sigmask_bytes;
    uint32_t min_wait_usec;
    uint64_t timeout; /* struct tg_uring_timespec */
};

/* What TG_REGISTER_PROBE fills. */
#define TG_PROBE_OPS 64
#define TG_PROBE_SUPPORTED (1u << 0)

struct tg_uring_probe {
    uint8_t last_op;
    uint8_t count;
    uint16_t reserved;
    uint32_t reserved2[3];
    struct {
        uint8_t op;
        uint8_t reserved;
        uint16_t flags;
        uint32_t reserved2;
    } ops[TG_PROBE_OPS];
};

#endif

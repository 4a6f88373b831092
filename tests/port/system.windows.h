/* SPDX-License-Identifier: MIT
 * The Windows calls of the IOCP backend as its tests see and disturb them. The program defines the
 * pointers through which a DLL's functions are called (__imp_WSASend and so on), so that every call
 * of its objects comes by here and goes on to the real function. One thread but for the wakes. */
#ifndef TEST_PORT_SYSTEM_WINDOWS_H
#define TEST_PORT_SYSTEM_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#define SYSTEM_CALLS_MAX 256

/* What goes wrong next; all zero: nothing. */
struct system_faults {
    bool refuses_skip;        /* SetFileCompletionNotificationModes fails */
    bool has_no_file_handles; /* the socket's provider is a layered one */
    int send_shortages;       /* so many WSASend answer WSAENOBUFS */
    int receive_failures;     /* so many WSARecv answer receive_error */
    int receive_error;
    int receive_statuses; /* so many receives complete with receive_status (an NTSTATUS) */
    long receive_status;
    int socket_failures; /* so many WSASocketW answer WSAEMFILE */
    int accept_failures; /* so many AcceptEx answer accept_error */
    int accept_error;
    int accept_statuses; /* so many accepts complete with accept_status (an NTSTATUS) */
    long accept_status;
    int connect_failures; /* so many ConnectEx answer WSAENETUNREACH */
    int post_failures;    /* so many PostQueuedCompletionStatus fail */
    int associate_failures;
};

/* What was asked. */
struct system_seen {
    uint32_t sends;
    uint32_t send_buffers_most; /* of one call */
    uint32_t receives;
    uint64_t receive_bytes; /* room that all WSARecv together gave */
    int accepts_in_flight;
    int accepts_most;        /* in flight at once */
    uint32_t accept_sockets; /* WSASocketW calls */
    uint32_t skips;
    uint32_t accepts_updated;     /* SO_UPDATE_ACCEPT_CONTEXT */
    uint32_t connects_updated;    /* SO_UPDATE_CONNECT_CONTEXT */
    uint32_t send_buffers_set;    /* SO_SNDBUF */
    uint32_t receive_buffers_set; /* SO_RCVBUF */
    uint32_t keepalives_set;      /* SIO_KEEPALIVE_VALS */
    uint32_t keepalive_ms;        /* the silence that the last of them names */
    /* s shutdown, c cancel, x closesocket, p packet of a receive, u SO_UPDATE_..._CONTEXT */
    char calls[SYSTEM_CALLS_MAX];
    uint32_t call_count;
};

extern struct system_faults system_faults;
extern struct system_seen system_seen;

/* No faults, nothing seen; refuses_skip stays: it is the mode that the suite runs in. What is in
 * flight counts on. */
void system_reset(void);

#endif

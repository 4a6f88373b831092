/* SPDX-License-Identifier: MIT
 * The thread that accepts for several ports. A file object of Windows can be associated with one
 * completion port, once and for good, so the accepts of all ports that share a listening socket end
 * in one queue. The acceptor takes their packets and passes each, as it is, to the port that has
 * posted the accept. It reads two fields of an accept in flight, which nobody writes meanwhile. */
#include "port/iocp.h"

#include <winsock2.h>

#include <windows.h>

/* Packets taken at once: more than the accepts of a usual burst, and 2 KiB of the stack. */
#define ENTRIES_MAX 64

/* False at the end. */
static bool pass_on(const struct tg_iocp_entry *entry)
{
    if (entry->key == TG_IOCP_KEY_QUIT) {
        return false;
    }
    struct tg_op *op = TG_CONTAINER_OF(entry->overlapped, struct tg_op, system);
    const struct tg_iocp_accept *accept = TG_CONTAINER_OF(op, struct tg_iocp_accept, op);
    tg_iocp_post(accept->iocp, TG_IOCP_KEY_OPERATION, entry->overlapped);
    return true;
}

static void run_acceptor(void *iocp)
{
    for (bool goes_on = true; goes_on;) {
        struct tg_iocp_entry entries[ENTRIES_MAX];
        ULONG count = 0;
        BOOL taken = GetQueuedCompletionStatusEx(iocp, (OVERLAPPED_ENTRY *)(void *)entries,
                                                 ENTRIES_MAX, &count, INFINITE, FALSE);
        TG_ENSURE(taken);
        for (ULONG i = 0; i < count; i++) {
            if (!pass_on(&entries[i])) {
                goes_on = false; /* posted when no accept is in flight: nothing comes behind it */
            }
        }
    }
}

int tg_iocp_open_acceptor(struct tg_acceptor *acceptor)
{
    void *iocp = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (iocp == NULL) {
        return THRONG_ENOMEM;
    }
    int error = tg_thread_start(&acceptor->thread, "throng-accept", run_acceptor, iocp);
    if (error != 0) {
        (void)CloseHandle(iocp);
        return error;
    }
    acceptor->system = iocp;
    return 0;
}

void tg_iocp_close_acceptor(struct tg_acceptor *acceptor)
{
    tg_iocp_post(acceptor->system, TG_IOCP_KEY_QUIT, NULL);
    tg_thread_join(&acceptor->thread);
    (void)CloseHandle(acceptor->system);
    acceptor->system = NULL;
}

/* SPDX-License-Identifier: MIT
 * See kernel_rows.h. GetTcpTable and GetTcp6Table write the whole table at once. Not
 * GetExtendedTcpTable, which also names each connection's process: under Wine, which makes the
 * table of Linux's /proc/net/tcp, that takes half a minute for 1,000 connections. */
#include "kernel_rows.h"

#include <stdlib.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <windows.h>

#include <iphlpapi.h>

/* The table may grow between the question for its size and the reading. */
#define READ_TRIES 5
#define SPARE_BYTES 16384

/* GetTcpTable, GetTcp6Table: fills `size` bytes, or says how many it needs. */
typedef ULONG read_function(void *table, ULONG *size);

static ULONG read_ipv4_table(void *table, ULONG *size)
{
    return GetTcpTable(table, size, FALSE);
}

static ULONG read_ipv6_table(void *table, ULONG *size)
{
    return GetTcp6Table(table, size, FALSE);
}

/* The table of one family in memory of its own; NULL if the system does not tell. */
static void *read_table(read_function *read)
{
    ULONG size = SPARE_BYTES;
    for (int i = 0; i < READ_TRIES; i++) {
        void *table = malloc(size);
        ULONG needed = size;
        if (table == NULL) {
            return NULL;
        }
        ULONG error = read(table, &needed);
        if (error == NO_ERROR) {
            return table;
        }
        free(table);
        if (error != ERROR_INSUFFICIENT_BUFFER) {
            return NULL;
        }
        size = needed + SPARE_BYTES;
    }
    return NULL;
}

/* The lower half is the port, in the network's order. */
static uint16_t port_of(DWORD field)
{
    return ntohs((u_short)field);
}

static bool read_ipv4(kernel_row_function *take, void *context)
{
    MIB_TCPTABLE *table = read_table(read_ipv4_table);
    bool complete = table != NULL;
    for (DWORD i = 0; complete && i < table->dwNumEntries; i++) {
        const MIB_TCPROW *entry = &table->table[i];
        const DWORD key[] = {entry->dwLocalAddr, entry->dwLocalPort, entry->dwRemoteAddr,
                             entry->dwRemotePort};
        struct kernel_row row = {key, sizeof(key), port_of(entry->dwLocalPort),
                                 port_of(entry->dwRemotePort)};
        complete = entry->dwState != MIB_TCP_STATE_ESTAB || take(context, &row);
    }
    free(table);
    return complete;
}

static bool read_ipv6(kernel_row_function *take, void *context)
{
    MIB_TCP6TABLE *table = read_table(read_ipv6_table);
    bool complete = true; /* no such table: no such connections */
    for (DWORD i = 0; table != NULL && complete && i < table->dwNumEntries; i++) {
        const MIB_TCP6ROW *entry = &table->table[i];
        /* The state goes before the addresses, scopes and ports. */
        struct kernel_row row = {
            &entry->LocalAddr, sizeof(*entry) - offsetof(MIB_TCP6ROW, LocalAddr),
            port_of((DWORD)entry->dwLocalPort), port_of((DWORD)entry->dwRemotePort)};
        complete = entry->State != MIB_TCP_STATE_ESTAB || take(context, &row);
    }
    free(table);
    return complete;
}

bool kernel_rows_read(kernel_row_function *take, void *context)
{
    return read_ipv4(take, context) && read_ipv6(take, context);
}

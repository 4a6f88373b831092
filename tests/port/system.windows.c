/* SPDX-License-Identifier: MIT
 * See system.windows.h. */
#include "system.windows.h"

#include <mswsock.h>
#include <windows.h>
#include <winsock2.h>
#include <winternl.h>

#include <mstcpip.h>

#include <string.h>

#include "check.h"

#include "port/op.h"

struct system_faults system_faults;
struct system_seen system_seen;

void system_reset(void)
{
    bool refuses_skip = system_faults.refuses_skip;
    int in_flight = system_seen.accepts_in_flight;
    memset(&system_faults, 0, sizeof system_faults);
    memset(&system_seen, 0, sizeof system_seen);
    system_faults.refuses_skip = refuses_skip;
    system_seen.accepts_in_flight = in_flight;
}

static bool strikes(int *left)
{
    if (*left == 0) {
        return false;
    }
    --*left;
    return true;
}

static void note_call(char call)
{
    if (system_seen.call_count < SYSTEM_CALLS_MAX - 1) {
        system_seen.calls[system_seen.call_count++] = call;
    }
}

/* --- the real functions
 * ---------------------------------------------------------------------------- */

typedef int WSAAPI type_WSASend(SOCKET, LPWSABUF, DWORD, LPDWORD, DWORD, LPWSAOVERLAPPED,
                                LPWSAOVERLAPPED_COMPLETION_ROUTINE);
typedef int WSAAPI type_WSARecv(SOCKET, LPWSABUF, DWORD, LPDWORD, LPDWORD, LPWSAOVERLAPPED,
                                LPWSAOVERLAPPED_COMPLETION_ROUTINE);
typedef SOCKET WSAAPI type_WSASocketW(int, int, int, LPWSAPROTOCOL_INFOW, GROUP, DWORD);
typedef int WSAAPI type_WSAIoctl(SOCKET, DWORD, LPVOID, DWORD, LPVOID, DWORD, LPDWORD,
                                 LPWSAOVERLAPPED, LPWSAOVERLAPPED_COMPLETION_ROUTINE);
typedef int WSAAPI type_closesocket(SOCKET);
typedef int WSAAPI type_shutdown(SOCKET, int);
typedef int WSAAPI type_getsockopt(SOCKET, int, int, char *, int *);
typedef int WSAAPI type_setsockopt(SOCKET, int, int, const char *, int);
typedef BOOL WINAPI type_GetQueuedCompletionStatusEx(HANDLE, LPOVERLAPPED_ENTRY, ULONG, PULONG,
                                                     DWORD, BOOL);
typedef BOOL WINAPI type_PostQueuedCompletionStatus(HANDLE, DWORD, ULONG_PTR, LPOVERLAPPED);
typedef BOOL WINAPI type_SetFileCompletionNotificationModes(HANDLE, UCHAR);
typedef BOOL WINAPI type_CancelIoEx(HANDLE, LPOVERLAPPED);
typedef HANDLE WINAPI type_CreateIoCompletionPort(HANDLE, HANDLE, ULONG_PTR, DWORD);

/* X(DLL, function, who watches it) */
#define WATCHED(X)                                                                                 \
    X("ws2_32.dll", WSASend, watch_send)                                                           \
    X("ws2_32.dll", WSARecv, watch_receive)                                                        \
    X("ws2_32.dll", WSASocketW, watch_socket)                                                      \
    X("ws2_32.dll", WSAIoctl, watch_ioctl)                                                         \
    X("ws2_32.dll", closesocket, watch_closesocket)                                                \
    X("ws2_32.dll", shutdown, watch_shutdown)                                                      \
    X("ws2_32.dll", getsockopt, watch_getsockopt)                                                  \
    X("ws2_32.dll", setsockopt, watch_setsockopt)                                                  \
    X("kernel32.dll", GetQueuedCompletionStatusEx, watch_wait)                                     \
    X("kernel32.dll", PostQueuedCompletionStatus, watch_post)                                      \
    X("kernel32.dll", SetFileCompletionNotificationModes, watch_skip)                              \
    X("kernel32.dll", CancelIoEx, watch_cancel)                                                    \
    X("kernel32.dll", CreateIoCompletionPort, watch_create)

struct real_functions {
#define REAL_MEMBER(dll, name, watch) type_##name *name;
    WATCHED(REAL_MEMBER)
#undef REAL_MEMBER
};

static void (*find_real(const char *dll, const char *name))(void)
{
    void (*function)(void) = (void (*)(void))GetProcAddress(GetModuleHandleA(dll), name);
    if (function == NULL) {
        fail_msg("%s has no %s", dll, name);
    }
    return function;
}

static const struct real_functions *real(void)
{
    static struct real_functions functions;
    static bool found;
    if (!found) {
#define FIND_REAL(dll, name, watch) functions.name = (type_##name *)find_real(dll, #name);
        WATCHED(FIND_REAL)
#undef FIND_REAL
        found = true;
    }
    return &functions;
}

/* --- Winsock ------------------------------------------------------------------------------------
 */

static int WSAAPI watch_send(SOCKET sock, LPWSABUF buffers, DWORD count, LPDWORD bytes, DWORD flags,
                             LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    system_seen.sends++;
    if (count > system_seen.send_buffers_most) {
        system_seen.send_buffers_most = count;
    }
    if (strikes(&system_faults.send_shortages)) {
        WSASetLastError(WSAENOBUFS);
        return SOCKET_ERROR;
    }
    return real()->WSASend(sock, buffers, count, bytes, flags, overlapped, routine);
}

static int WSAAPI watch_receive(SOCKET sock, LPWSABUF buffers, DWORD count, LPDWORD bytes,
                                LPDWORD flags, LPWSAOVERLAPPED overlapped,
                                LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    system_seen.receives++;
    for (DWORD i = 0; i < count; i++) {
        system_seen.receive_bytes += buffers[i].len;
    }
    if (strikes(&system_faults.receive_failures)) {
        WSASetLastError(system_faults.receive_error);
        return SOCKET_ERROR;
    }
    return real()->WSARecv(sock, buffers, count, bytes, flags, overlapped, routine);
}

static SOCKET WSAAPI watch_socket(int family, int type, int protocol, LPWSAPROTOCOL_INFOW info,
                                  GROUP group, DWORD flags)
{
    if (strikes(&system_faults.socket_failures)) {
        WSASetLastError(WSAEMFILE);
        return INVALID_SOCKET;
    }
    system_seen.accept_sockets++;
    return real()->WSASocketW(family, type, protocol, info, group, flags);
}

static int WSAAPI watch_closesocket(SOCKET sock)
{
    note_call('x');
    return real()->closesocket(sock);
}

static int WSAAPI watch_shutdown(SOCKET sock, int how)
{
    note_call('s');
    return real()->shutdown(sock, how);
}

static int WSAAPI watch_getsockopt(SOCKET sock, int level, int name, char *value, int *size)
{
    int answer = real()->getsockopt(sock, level, name, value, size);
    if (answer == 0 && name == SO_PROTOCOL_INFOW && system_faults.has_no_file_handles) {
        ((WSAPROTOCOL_INFOW *)(void *)value)->dwServiceFlags1 &= ~(DWORD)XP1_IFS_HANDLES;
    }
    return answer;
}

static int WSAAPI watch_setsockopt(SOCKET sock, int level, int name, const char *value, int size)
{
    if (level == SOL_SOCKET) {
        system_seen.accepts_updated += name == SO_UPDATE_ACCEPT_CONTEXT;
        system_seen.connects_updated += name == SO_UPDATE_CONNECT_CONTEXT;
        system_seen.send_buffers_set += name == SO_SNDBUF;
        system_seen.receive_buffers_set += name == SO_RCVBUF;
        if (name == SO_UPDATE_ACCEPT_CONTEXT || name == SO_UPDATE_CONNECT_CONTEXT) {
            note_call('u');
        }
    }
    return real()->setsockopt(sock, level, name, value, size);
}

/* --- AcceptEx and ConnectEx, which are asked for by their GUIDs
 * ----------------------------------- */

static LPFN_ACCEPTEX real_accept;
static LPFN_CONNECTEX real_connect;

static BOOL WINAPI watch_accept(SOCKET listening, SOCKET sock, PVOID addresses, DWORD data,
                                DWORD local, DWORD remote, LPDWORD bytes, LPOVERLAPPED overlapped)
{
    if (strikes(&system_faults.accept_failures)) {
        WSASetLastError(system_faults.accept_error);
        return FALSE;
    }
    BOOL answer = real_accept(listening, sock, addresses, data, local, remote, bytes, overlapped);
    int error = WSAGetLastError();
    if (answer || error == WSA_IO_PENDING) {
        system_seen.accepts_in_flight++;
        if (system_seen.accepts_in_flight > system_seen.accepts_most) {
            system_seen.accepts_most = system_seen.accepts_in_flight;
        }
    }
    WSASetLastError(error);
    return answer;
}

static BOOL PASCAL watch_connect(SOCKET sock, const struct sockaddr *name, int size, PVOID data,
                                 DWORD data_bytes, LPDWORD bytes, LPOVERLAPPED overlapped)
{
    if (strikes(&system_faults.connect_failures)) {
        WSASetLastError(WSAENETUNREACH);
        return FALSE;
    }
    return real_connect(sock, name, size, data, data_bytes, bytes, overlapped);
}

static int WSAAPI watch_ioctl(SOCKET sock, DWORD code, LPVOID in, DWORD in_bytes, LPVOID out,
                              DWORD out_bytes, LPDWORD bytes, LPWSAOVERLAPPED overlapped,
                              LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    static const GUID accept_id = WSAID_ACCEPTEX;
    static const GUID connect_id = WSAID_CONNECTEX;
    if (code == SIO_KEEPALIVE_VALS) {
        system_seen.keepalives_set++;
        system_seen.keepalive_ms = ((const struct tcp_keepalive *)in)->keepalivetime;
    }
    int answer =
        real()->WSAIoctl(sock, code, in, in_bytes, out, out_bytes, bytes, overlapped, routine);
    if (answer != 0 || code != SIO_GET_EXTENSION_FUNCTION_POINTER) {
        return answer;
    }
    if (memcmp(in, &accept_id, sizeof accept_id) == 0) {
        memcpy(&real_accept, out, sizeof real_accept);
        LPFN_ACCEPTEX watched = watch_accept;
        memcpy(out, &watched, sizeof watched);
    } else if (memcmp(in, &connect_id, sizeof connect_id) == 0) {
        memcpy(&real_connect, out, sizeof real_connect);
        LPFN_CONNECTEX watched = watch_connect;
        memcpy(out, &watched, sizeof watched);
    }
    return answer;
}

/* --- completion ports
 * ----------------------------------------------------------------------------- */

static void watch_packet(const OVERLAPPED_ENTRY *entry)
{
    if (entry->lpCompletionKey != 0 || entry->lpOverlapped == NULL) {
        return;
    }
    struct tg_op *op = (struct tg_op *)(void *)entry->lpOverlapped;
    switch (op->kind) {
    case TG_OPERATION_ACCEPT:
        system_seen.accepts_in_flight--;
        if (op->system.status == 0 && strikes(&system_faults.accept_statuses)) {
            op->system.status = (uintptr_t)system_faults.accept_status;
        }
        break;
    case TG_OPERATION_RECEIVE:
        note_call('p');
        if (op->system.status == 0 && strikes(&system_faults.receive_statuses)) {
            op->system.status = (uintptr_t)system_faults.receive_status;
        }
        break;
    default:
        break;
    }
}

static BOOL WINAPI watch_wait(HANDLE port, LPOVERLAPPED_ENTRY entries, ULONG capacity, PULONG count,
                              DWORD timeout_ms, BOOL alertable)
{
    BOOL answer =
        real()->GetQueuedCompletionStatusEx(port, entries, capacity, count, timeout_ms, alertable);
    for (ULONG i = 0; answer && i < *count; i++) {
        watch_packet(&entries[i]);
    }
    return answer;
}

static BOOL WINAPI watch_post(HANDLE port, DWORD bytes, ULONG_PTR key, LPOVERLAPPED overlapped)
{
    if (strikes(&system_faults.post_failures)) {
        SetLastError(ERROR_NO_SYSTEM_RESOURCES);
        return FALSE;
    }
    return real()->PostQueuedCompletionStatus(port, bytes, key, overlapped);
}

static BOOL WINAPI watch_skip(HANDLE file, UCHAR modes)
{
    system_seen.skips++;
    if (system_faults.refuses_skip) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    return real()->SetFileCompletionNotificationModes(file, modes);
}

static BOOL WINAPI watch_cancel(HANDLE file, LPOVERLAPPED overlapped)
{
    note_call('c');
    return real()->CancelIoEx(file, overlapped);
}

static HANDLE WINAPI watch_create(HANDLE file, HANDLE port, ULONG_PTR key, DWORD threads)
{
    if (file != INVALID_HANDLE_VALUE && strikes(&system_faults.associate_failures)) {
        SetLastError(ERROR_NO_SYSTEM_RESOURCES);
        return NULL;
    }
    return real()->CreateIoCompletionPort(file, port, key, threads);
}

/* The linker takes these instead of the import library's. */
#define WATCH(dll, name, watch)                                                                    \
    extern type_##name *const __imp_##name;                                                        \
    type_##name *const __imp_##name = watch;
WATCHED(WATCH)

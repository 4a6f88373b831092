/* SPDX-License-Identifier: MIT
 * The small parts of the seam on Windows: what kind of memory, how the counter is read, and where
 * the range of ports is looked up; and the start of Winsock, in a process where nobody else starts
 * it. */
#include <winsock2.h>

#include <windows.h>

#include "check.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/port_range.h"
#include "os/socket.h"
#include "os/thread.h"
#include "os/winsock.windows.h"

static void memory_is_committed_not_only_reserved(void **state)
{
    MEMORY_BASIC_INFORMATION info;
    const size_t bytes = 10000000;
    (void)state;
    char *memory = tg_memory_reserve(bytes);
    assert_non_null(memory);
    assert_int_equal(VirtualQuery(memory + bytes - 1, &info, sizeof info), sizeof info);
    assert_int_equal(info.State, MEM_COMMIT);
    assert_int_equal(info.Protect, PAGE_READWRITE);
    tg_memory_release(memory, bytes);
    assert_int_equal(VirtualQuery(memory, &info, sizeof info), sizeof info);
    assert_int_equal(info.State, MEM_FREE);
}

/* The plain product, ticks * 10^9, has been wrong since half an hour after the start. */
static void the_clock_is_the_performance_counter_in_nanoseconds(void **state)
{
    LARGE_INTEGER ticks;
    LARGE_INTEGER rate;
    (void)state;
    assert_true(QueryPerformanceFrequency(&rate));
    for (int i = 0; i < 1000; i++) {
        uint64_t before = tg_clock_ns();
        assert_true(QueryPerformanceCounter(&ticks));
        uint64_t after = tg_clock_ns();
        long double between = (long double)ticks.QuadPart * 1e9L / (long double)rate.QuadPart;
        assert_true((long double)before <= between + 1 && between <= (long double)after + 1);
    }
}

/* A second may pass between the two, and somebody may set the clock: not five times. */
static void the_wall_clock_counts_from_1970(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        uint64_t ours = tg_clock_unix_ms() / 1000;
        uint64_t theirs = (uint64_t)time(NULL);
        if (theirs - ours <= 1) {
            return;
        }
    }
    fail_msg("the wall clock is not that of the C library");
}

#define PARAMETERS L"SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters"

static void set_max_user_port(HKEY key, DWORD last)
{
    assert_int_equal(
        RegSetValueExW(key, L"MaxUserPort", 0, REG_DWORD, (const BYTE *)&last, sizeof last), 0);
}

/* The registry of a Wine prefix is the test's own; of a Windows it is not, and stays as it is. */
static void the_range_of_ports_is_what_the_registry_says(void **state)
{
    HKEY key;
    (void)state;
    bool on_wine = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
    if (!on_wine) {
        print_message("the registry of a real Windows is left alone\n");
        skip();
    }
    assert_int_equal(RegCreateKeyExW(HKEY_LOCAL_MACHINE, PARAMETERS, 0, NULL, 0, KEY_ALL_ACCESS,
                                     NULL, &key, NULL),
                     0);
    (void)RegDeleteValueW(key, L"MaxUserPort");
    assert_int_equal(tg_port_range_count(), 16384);
    set_max_user_port(key, 65534);
    assert_int_equal(tg_port_range_count(), 64510);
    set_max_user_port(key, 5000);
    assert_int_equal(tg_port_range_count(), 3976);
    set_max_user_port(key, 65536); /* no port */
    assert_int_equal(tg_port_range_count(), 16384);
    set_max_user_port(key, 0);
    assert_int_equal(tg_port_range_count(), 16384);
    assert_int_equal(RegSetValueExW(key, L"MaxUserPort", 0, REG_SZ, (const BYTE *)L"9", 4), 0);
    assert_int_equal(tg_port_range_count(), 16384);
    assert_int_equal(RegDeleteValueW(key, L"MaxUserPort"), 0);
    assert_int_equal(RegCloseKey(key), 0);
}

/* Whoever looks a name up may be the first who needs it. */
static void a_look_up_starts_winsock(void **state)
{
    struct throng_address address;
    (void)state;
    assert_true(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) == INVALID_SOCKET);
    assert_int_equal(WSAGetLastError(), WSANOTINITIALISED);
    assert_int_equal(tg_address_resolve("a..b", 1, &address, 1), THRONG_ERESOLVE);
    SOCKET sock = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(sock != INVALID_SOCKET);
    assert_int_equal(closesocket(sock), 0);
}

/* NTSTATUS numbers with which sockets complete, from [MS-ERREF] 2.3.1. */
static void the_status_of_a_completion_has_our_number(void **state)
{
    static const struct {
        uint32_t status;
        int code;
    } expected[] = {
        {0x00000000, 0},                    /* SUCCESS */
        {0x00000103, 0},                    /* PENDING: no error */
        {0xC000020D, THRONG_ECONNRESET},    /* CONNECTION_RESET */
        {0xC0000241, THRONG_ECONNRESET},    /* CONNECTION_ABORTED */
        {0xC000013B, THRONG_ECONNRESET},    /* LOCAL_DISCONNECT */
        {0xC000013C, THRONG_ECONNRESET},    /* REMOTE_DISCONNECT */
        {0xC000020C, THRONG_ECONNRESET},    /* CONNECTION_DISCONNECTED */
        {0xC0000237, THRONG_EEOF},          /* GRACEFUL_DISCONNECT */
        {0xC0000011, THRONG_EEOF},          /* END_OF_FILE */
        {0xC0000236, THRONG_ECONNREFUSED},  /* CONNECTION_REFUSED */
        {0xC00000BC, THRONG_ECONNREFUSED},  /* REMOTE_NOT_LISTENING */
        {0xC00000B5, THRONG_ETIMEDOUT},     /* IO_TIMEOUT */
        {0xC000023C, THRONG_EUNREACHABLE},  /* NETWORK_UNREACHABLE */
        {0xC000023D, THRONG_EUNREACHABLE},  /* HOST_UNREACHABLE */
        {0xC0000350, THRONG_EUNREACHABLE},  /* HOST_DOWN */
        {0xC000020A, THRONG_EADDRINUSE},    /* ADDRESS_ALREADY_EXISTS */
        {0xC0000209, THRONG_EADDRINUSE},    /* TOO_MANY_ADDRESSES */
        {0xC0000207, THRONG_EADDRNOTAVAIL}, /* INVALID_ADDRESS_COMPONENT */
        {0xC000009A, THRONG_ENOBUFS},       /* INSUFFICIENT_RESOURCES */
        {0xC000012C, THRONG_ENOBUFS},       /* PAGEFILE_QUOTA_EXCEEDED */
        {0xC000013D, THRONG_ENOBUFS},       /* REMOTE_RESOURCES */
        {0xC0000017, THRONG_ENOMEM},        /* NO_MEMORY */
        {0xC0000120, THRONG_ECANCELED},     /* CANCELLED */
        {0xC0000022, THRONG_EACCES},        /* ACCESS_DENIED */
        {0xC0ABCDEF, THRONG_ESYSTEM},       /* nothing */
    };
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        int code = tg_winsock_error_of_status((int32_t)expected[i].status);
        if (code != expected[i].code) {
            fail_msg("status %08x is %s", expected[i].status, throng_error_name(code));
        }
    }
}

enum {
    STARTERS = 8
};

static void start_winsock(void *argument)
{
    int *answer = argument;
    *answer = tg_winsock_start();
}

static void winsock_starts_once_however_many_ask(void **state)
{
    struct tg_thread threads[STARTERS];
    int answers[STARTERS];
    (void)state;
    for (int i = 0; i < STARTERS; i++) {
        answers[i] = 1;
        assert_int_equal(tg_thread_start(&threads[i], "starter", start_winsock, &answers[i]), 0);
    }
    for (int i = 0; i < STARTERS; i++) {
        tg_thread_join(&threads[i]);
        assert_int_equal(answers[i], 0);
    }
    SOCKET sock = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(sock != INVALID_SOCKET);
    assert_int_equal(closesocket(sock), 0);
    /* Nobody has counted up: one cleanup ends it for all. */
    assert_int_equal(WSACleanup(), 0);
    assert_int_equal(WSACleanup(), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSANOTINITIALISED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_up_starts_winsock), /* the first, while nobody has */
        cmocka_unit_test(memory_is_committed_not_only_reserved),
        cmocka_unit_test(the_clock_is_the_performance_counter_in_nanoseconds),
        cmocka_unit_test(the_wall_clock_counts_from_1970),
        cmocka_unit_test(the_status_of_a_completion_has_our_number),
        cmocka_unit_test(the_range_of_ports_is_what_the_registry_says),
        cmocka_unit_test(winsock_starts_once_however_many_ask), /* the last: it ends Winsock */
    };
    return cmocka_run_group_tests_name("system of Windows", tests, NULL, NULL);
}

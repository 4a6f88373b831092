/* SPDX-License-Identifier: MIT
 * See system.h. Windows waits for no pipe and no console in the way it waits for sockets: a thread
 * reads standard input, and an event says that it has read. */
#include "system.h"

#include <fcntl.h>
#include <io.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <winsock2.h>

#include <windows.h>

#include <bcrypt.h>

#define INPUT_BYTES 4096

/* Between the reading thread and the main thread, under the lock. */
static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE taken = CONDITION_VARIABLE_INIT;
static char input[INPUT_BYTES];
static size_t input_size;
static bool input_ended;

static HANDLE input_event; /* set while there is input, or its end */
static HANDLE interrupt_event;
static HANDLE socket_event;
static HANDLE reader; /* NULL until somebody waits for input */
static _Atomic int interrupted;

static BOOL WINAPI on_console(DWORD event)
{
    atomic_store(&interrupted, 1);
    (void)SetEvent(interrupt_event);
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) {
        Sleep(INFINITE); /* the process ends when this returns: main ends it first */
    }
    return TRUE;
}

bool system_begin(void)
{
    WSADATA data;
    (void)_setmode(_fileno(stdout), _O_BINARY);
    (void)_setmode(_fileno(stdin), _O_BINARY);
    (void)SetConsoleOutputCP(CP_UTF8);
    (void)SetConsoleCP(CP_UTF8);
    input_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    interrupt_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    socket_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (input_event == NULL || interrupt_event == NULL || socket_event == NULL ||
        WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        fprintf(stderr, "the system refuses an event, or sockets (error %lu)\n", GetLastError());
        return false;
    }
    (void)SetConsoleCtrlHandler(on_console, TRUE);
    return true;
}

uint64_t system_now_ms(void)
{
    return GetTickCount64();
}

int64_t system_unix_ms(void)
{
    FILETIME now; /* in 100 ns since 1601, 11644473600 s before 1970 */
    GetSystemTimeAsFileTime(&now);
    uint64_t ticks = (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
    return (int64_t)(ticks / 10000) - INT64_C(11644473600000);
}

void system_time_of_day(int64_t unix_seconds, char text[9])
{
    struct tm parts = {0};
    time_t seconds = (time_t)unix_seconds;
    if (localtime_s(&parts, &seconds) != 0 || strftime(text, 9, "%H:%M:%S", &parts) != 8) {
        memcpy(text, "--:--:--", 9);
    }
}

uint64_t system_random(void)
{
    uint64_t number = 0;
    if (BCryptGenRandom(NULL, (PUCHAR)&number, sizeof(number), BCRYPT_USE_SYSTEM_PREFERRED_RNG) !=
        0) {
        number = GetTickCount64() ^ (uint64_t)GetCurrentProcessId() << 32;
    }
    return number;
}

bool system_input_is_terminal(void)
{
    return _isatty(_fileno(stdin)) != 0;
}

bool system_output_is_terminal(void)
{
    return _isatty(_fileno(stdout)) != 0;
}

/* ---- standard input ---- */

static DWORD WINAPI read_input(void *argument)
{
    HANDLE file = GetStdHandle(STD_INPUT_HANDLE);
    (void)argument;
    for (bool ended = false; !ended;) {
        char part[INPUT_BYTES];
        DWORD size = 0;
        ended = !ReadFile(file, part, sizeof(part), &size, NULL) || size == 0;
        AcquireSRWLockExclusive(&lock);
        while (input_size > 0) {
            (void)SleepConditionVariableSRW(&taken, &lock, INFINITE, 0);
        }
        memcpy(input, part, size);
        input_size = size;
        input_ended = ended;
        (void)SetEvent(input_event);
        ReleaseSRWLockExclusive(&lock);
    }
    return 0;
}

int system_read_input(char *data, size_t size)
{
    AcquireSRWLockExclusive(&lock);
    size_t count = input_size < size ? input_size : size;
    int answer = count > 0 || input_ended ? (int)count : -1;
    memcpy(data, input, count);
    memmove(input, input + count, input_size - count);
    input_size -= count;
    if (input_size == 0 && !input_ended) {
        (void)ResetEvent(input_event);
    }
    WakeConditionVariable(&taken);
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

/* ---- the wait ---- */

bool system_interrupted(void)
{
    return atomic_load(&interrupted) != 0;
}

static DWORD add_socket(const struct system_wait *wait, HANDLE *handles, DWORD count)
{
    long events = (wait->read ? FD_READ | FD_CLOSE | FD_ACCEPT : 0) |
                  (wait->write ? FD_WRITE | FD_CONNECT | FD_CLOSE : 0);
    /* What is so already counts anew with each call, so that this is as good as poll. */
    (void)ResetEvent(socket_event);
    if (wait->descriptor < 0 ||
        WSAEventSelect((SOCKET)wait->descriptor, socket_event, events) != 0) {
        return count;
    }
    handles[count] = socket_event;
    return count + 1;
}

unsigned system_wait(const struct system_wait *wait)
{
    HANDLE handles[3] = {interrupt_event};
    DWORD count = add_socket(wait, handles, 1);
    if (wait->input) {
        if (reader == NULL) {
            reader = CreateThread(NULL, 0, read_input, NULL, 0, NULL);
        }
        handles[count++] = input_event;
    }
    DWORD limit = wait->timeout_ms < 0 ? INFINITE : (DWORD)wait->timeout_ms;
    DWORD first = WaitForMultipleObjects(count, handles, FALSE, limit);
    unsigned ready = atomic_load(&interrupted) ? SYSTEM_INTERRUPTED : 0;
    if (first >= count) { /* the time is over */
        return ready;
    }
    ready |= WaitForSingleObject(socket_event, 0) == WAIT_OBJECT_0 ? SYSTEM_SOCKET : 0;
    ready |= wait->input && WaitForSingleObject(input_event, 0) == WAIT_OBJECT_0 ? SYSTEM_INPUT : 0;
    return ready;
}

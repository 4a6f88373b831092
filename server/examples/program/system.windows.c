/* SPDX-License-Identifier: MIT
 * Requests to end on Windows: what happens to the console. See system.h.
 *
 * Windows calls the handler on a thread that it makes for it, at any time, also while the main
 * thread stops the server: the lock is between these two. */
#define _CRT_RAND_S /* rand_s */
#include "system.h"

#include <fcntl.h>
#include <io.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

/* Of the five seconds that a closed console leaves: enough for the rest to be stopped in. */
#define CLOSE_DRAIN_MS 3500

static SRWLOCK lock = SRWLOCK_INIT;
static struct throng_server *serving; /* under the lock; NULL: nobody to wake */
static _Atomic int requests;

void system_begin(void)
{
    (void)_setmode(_fileno(stdout), _O_BINARY);
}

static void take_request(void)
{
    AcquireSRWLockExclusive(&lock);
    if (serving != NULL) {
        atomic_fetch_add(&requests, 1);
        throng_server_wake(serving);
    }
    ReleaseSRWLockExclusive(&lock);
}

static BOOL WINAPI on_event(DWORD event)
{
    take_request();
    if (event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT) {
        return TRUE;
    }
    /* The console is closed, the user logs off, the system shuts down: when this function returns,
     * or when the system's patience ends, the process does, wherever its other threads are. So it
     * does not return; the end of main ends this thread too. */
    Sleep(CLOSE_DRAIN_MS);
    take_request();
    Sleep(INFINITE);
    return TRUE;
}

void system_take_requests(struct throng_server *server)
{
    AcquireSRWLockExclusive(&lock);
    serving = server;
    ReleaseSRWLockExclusive(&lock);
    (void)SetConsoleCtrlHandler(on_event, TRUE);
}

int system_requests(void)
{
    return atomic_load(&requests);
}

void system_ignore_requests(void)
{
    /* The handler stays: without it, Ctrl-C would end the process in the middle of its end. */
    AcquireSRWLockExclusive(&lock);
    serving = NULL;
    ReleaseSRWLockExclusive(&lock);
}

/* From 1601, where Windows counts from, to 1970, in its units of 100 ns. */
#define UNTIL_1970 UINT64_C(116444736000000000)

uint64_t system_wall_ms(void)
{
    FILETIME time;
    GetSystemTimeAsFileTime(&time);
    uint64_t ticks = (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
    return (ticks - UNTIL_1970) / 10000;
}

bool system_random(void *bytes, size_t size)
{
    unsigned char *at = bytes;
    for (size_t done = 0; done < size; done += sizeof(unsigned)) {
        unsigned value = 0;
        if (rand_s(&value) != 0) {
            return false;
        }
        size_t left = size - done;
        memcpy(at + done, &value, left < sizeof(value) ? left : sizeof(value));
    }
    return true;
}

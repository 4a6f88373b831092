/* SPDX-License-Identifier: MIT
 * What happens to the console, as something to wait for. See interrupt.h. */
#include "interrupt.h"

#include <stddef.h>
#include <windows.h>

/* Set by the handler, reset by the wait that sees it. Lives as long as the process. */
static HANDLE interrupted;

/* On a thread that Windows makes for it. */
static BOOL WINAPI on_event(DWORD event)
{
    (void)SetEvent(interrupted);
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) {
        /* A closed console, log-off, shutdown: the process ends when this returns, or after the
         * five seconds of the system's patience. The report wants that time. */
        Sleep(INFINITE);
    }
    return TRUE;
}

void interrupt_prepare(void)
{
    interrupted = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (interrupted != NULL) { /* else the console ends the process, as it does any other */
        (void)SetConsoleCtrlHandler(on_event, TRUE);
    }
}

bool interrupt_wait(uint32_t ms)
{
    if (interrupted == NULL) {
        Sleep(ms);
        return false;
    }
    return WaitForSingleObject(interrupted, ms) == WAIT_OBJECT_0;
}

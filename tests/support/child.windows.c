/* SPDX-License-Identifier: MIT
 * A child process with pipes, made with CreateProcess. */
#include "child.h"

#include <string.h>
#include <windows.h>

#include "check.h"
#include "stopwatch.h"

#define COMMAND_SIZE 4096

/* Each argument in quotes: enough for those that have none and do not end with a backslash. */
static void join_arguments(char *command, const char *const *arguments)
{
    size_t length = 0;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_null(strchr(arguments[i], '"'));
        assert_true(length + strlen(arguments[i]) + 4 < COMMAND_SIZE);
        int added = snprintf(command + length, COMMAND_SIZE - length, "%s\"%s\"", i == 0 ? "" : " ",
                             arguments[i]);
        length += (size_t)added;
    }
}

/* A pipe of which the child inherits the end to write to. */
static void open_pipe(HANDLE *ours, HANDLE *childs)
{
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
    assert_true(CreatePipe(ours, childs, &inherit, 0));
    assert_true(SetHandleInformation(*ours, HANDLE_FLAG_INHERIT, 0));
}

/* Ctrl-Break goes to the process groups of one's own console. */
static bool has_console(void)
{
    return GetConsoleCP() != 0 || AllocConsole();
}

void child_start(struct child *child, const char *const *arguments)
{
    char command[COMMAND_SIZE];
    HANDLE out;
    HANDLE err;
    PROCESS_INFORMATION information;
    STARTUPINFOA startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    join_arguments(command, arguments);
    open_pipe(&out, &startup.hStdOutput);
    open_pipe(&err, &startup.hStdError);
    DWORD flags = has_console() ? CREATE_NEW_PROCESS_GROUP : 0;
    BOOL runs =
        CreateProcessA(NULL, command, NULL, NULL, TRUE, flags, NULL, NULL, &startup, &information);
    DWORD error = GetLastError();
    (void)CloseHandle(startup.hStdOutput);
    (void)CloseHandle(startup.hStdError);
    *child = (struct child){.out = (intptr_t)out, .err = (intptr_t)err, .status = -1};
    if (!runs) {
        fail_msg("cannot run %s: error %lu", command, error);
    }
    (void)CloseHandle(information.hThread);
    child->process = (intptr_t)information.hProcess;
    child->id = information.dwProcessId;
}

/* Where Wine has no terminal there are no consoles at all (AllocConsole fails). Then the child is
 * in our process group, and the thread that a console would start in it to call its handlers is
 * started by us: CtrlRoutine is at the same address in each process. */
static bool start_control_routine(HANDLE process)
{
    HMODULE kernel = GetModuleHandleA("kernel32.dll");
    FARPROC routine = GetProcAddress(kernel, "CtrlRoutine");
    LPTHREAD_START_ROUTINE start;
    _Static_assert(sizeof(start) == sizeof(routine), "pointers to functions are alike");
    memcpy(&start, &routine, sizeof(start));
    if (start == NULL) {
        return false;
    }
    HANDLE thread =
        CreateRemoteThread(process, NULL, 0, start, (void *)(uintptr_t)CTRL_BREAK_EVENT, 0, NULL);
    return thread != NULL && CloseHandle(thread);
}

bool child_request(const struct child *child, enum child_request request)
{
    (void)request; /* Ctrl-C reaches whole consoles only, ours among them */
    return GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, child->id) ||
           (!has_console() && start_control_routine((HANDLE)child->process));
}

/* Anonymous pipes know no wait with a limit: this looks each millisecond. */
ptrdiff_t child_read(const struct child *child, bool from_err, char *text, size_t size,
                     int limit_ms)
{
    HANDLE pipe_end = (HANDLE)(from_err ? child->err : child->out);
    int64_t deadline_ms = test_now_ms() + limit_ms;
    DWORD there = 0;
    while (PeekNamedPipe(pipe_end, NULL, 0, NULL, &there, NULL)) {
        DWORD got = 0;
        if (there > 0 && ReadFile(pipe_end, text, (DWORD)size, &got, NULL)) {
            size_t kept = 0;
            for (DWORD i = 0; i < got; i++) {
                if (text[i] != '\r') {
                    text[kept++] = text[i];
                }
            }
            if (kept > 0) {
                return (ptrdiff_t)kept;
            }
        } else if (test_now_ms() >= deadline_ms) {
            return 0;
        } else {
            Sleep(1);
        }
    }
    return -1;
}

bool child_await_exit(struct child *child, int limit_ms)
{
    HANDLE process = (HANDLE)child->process;
    DWORD status = 0;
    if (WaitForSingleObject(process, (DWORD)limit_ms) != WAIT_OBJECT_0 ||
        !GetExitCodeProcess(process, &status)) {
        return false;
    }
    (void)CloseHandle(process);
    child->process = 0;
    child->status = (int)status;
    return true;
}

void child_end(struct child *child)
{
    if (child->process != 0) {
        (void)TerminateProcess((HANDLE)child->process, 1);
        (void)WaitForSingleObject((HANDLE)child->process, INFINITE);
        (void)CloseHandle((HANDLE)child->process);
        child->process = 0;
    }
    (void)CloseHandle((HANDLE)child->out);
    (void)CloseHandle((HANDLE)child->err);
}

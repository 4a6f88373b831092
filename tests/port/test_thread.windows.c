/* SPDX-License-Identifier: MIT
 * Threads of Windows: names, handles, and processors. */
#include "test_thread.h"

#include <string.h>
#include <winsock2.h>

#include <windows.h>

#include "check.h"
#include "os/clock.h"
#include "os/descriptor_plan.h"
#include "os/thread.h"

#define DEADLINE_NS 20000000000

/* --- names ----------------------------------------------------------------------------------- */

typedef HRESULT WINAPI ask_function(HANDLE thread, PWSTR *description);

struct observed {
    ask_function *ask;
    WCHAR name[32];
};

/* The starter sets the name; it may still be about to. */
static void report_name(void *argument)
{
    struct observed *observed = argument;
    uint64_t deadline = tg_clock_ns() + DEADLINE_NS;
    do {
        PWSTR name = NULL;
        if (observed->ask(GetCurrentThread(), &name) >= 0 && name != NULL) {
            (void)wcsncpy(observed->name, name, 31);
            (void)LocalFree(name);
        }
    } while (wcscmp(observed->name, L"throng-worker-0") != 0 && tg_clock_ns() < deadline);
}

static void a_thread_has_its_name(void **state)
{
    struct tg_thread thread;
    struct observed observed = {0};
    (void)state;
    FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "GetThreadDescription");
    if (found == NULL) {
        print_message("this Windows has no names for threads (before Windows 10, 1607)\n");
        skip();
    }
    memcpy(&observed.ask, &found, sizeof found);
    assert_int_equal(tg_thread_start(&thread, "throng-worker-0", report_name, &observed), 0);
    tg_thread_join(&thread);
    assert_int_equal(wcscmp(observed.name, L"throng-worker-0"), 0);
}

/* --- handles --------------------------------------------------------------------------------- */

static void there_is_one_table_of_handles_without_a_limit(void **state)
{
    struct tg_descriptor_plan plan;
    (void)state;
    assert_int_equal(tg_thread_own_descriptors(NULL, 0), THRONG_ENOTSUP);
    assert_int_equal(tg_descriptor_limit(), UINT32_MAX);
    assert_int_equal(tg_descriptor_limit_raise(5), UINT32_MAX);
    assert_true(tg_descriptor_plan_make(&plan, 65000, tg_descriptor_count(), 64));
    assert_int_equal(plan.threads, 1);
    assert_false(plan.own_tables);
}

static void an_open_handle_is_counted(void **state)
{
    (void)state;
    uint32_t before = tg_descriptor_count();
    if (before == 0) {
        print_message("this system does not count handles (Wine 8)\n");
        skip();
    }
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    assert_non_null(event);
    assert_int_equal(tg_descriptor_count(), before + 1);
    assert_true(CloseHandle(event));
    assert_int_equal(tg_descriptor_count(), before);
}

static void do_nothing(void *argument)
{
    (void)argument;
}

static void a_thread_that_was_joined_leaves_no_handle(void **state)
{
    struct tg_thread thread;
    DWORD flags;
    (void)state;
    assert_int_equal(tg_thread_start(&thread, "short", do_nothing, NULL), 0);
    HANDLE handle = (HANDLE)thread.handle;
    assert_true(GetHandleInformation(handle, &flags));
    tg_thread_join(&thread);
    assert_false(GetHandleInformation(handle, &flags));
}

/* --- processors ------------------------------------------------------------------------------ */

static void only_the_processors_that_the_process_may_use_are_counted(void **state)
{
    DWORD_PTR ours;
    DWORD_PTR all;
    SYSTEM_INFO info;
    (void)state;
    GetSystemInfo(&info);
    assert_true(GetProcessAffinityMask(GetCurrentProcess(), &ours, &all));
    assert_in_range(tg_processor_count(), 1, info.dwNumberOfProcessors);
    assert_true(SetProcessAffinityMask(GetCurrentProcess(), ours & (~ours + 1))); /* the lowest */
    assert_int_equal(tg_processor_count(), 1);
    assert_true(SetProcessAffinityMask(GetCurrentProcess(), ours));
}

int run_system_thread_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_its_name),
        cmocka_unit_test(there_is_one_table_of_handles_without_a_limit),
        cmocka_unit_test(an_open_handle_is_counted),
        cmocka_unit_test(a_thread_that_was_joined_leaves_no_handle),
        cmocka_unit_test(only_the_processors_that_the_process_may_use_are_counted),
    };
    return cmocka_run_group_tests_name("threads of Windows", tests, NULL, NULL);
}

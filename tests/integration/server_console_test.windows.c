/* SPDX-License-Identifier: MIT
 * bin/throng-echo and the events of a console: Ctrl-C and Ctrl-Break ask it to end, and so does the close of
 * its window, which leaves it five seconds. And what it prints ends its lines as everywhere else, and what
 * Windows does not have is refused.
 * argv[1] is the program.
 *
 * A program cannot close another one's console. What the system would do then, start a thread in the
 * program at CtrlRoutine with the event's number, this test does itself; in Wine and in Windows that
 * function is at the same address in each process. */
#include <string.h>
#include <windows.h>

#include "check.h"
#include "child.h"
#include "peer.h"
#include "stopwatch.h"

#define TEXT_SIZE 8192

static const char *program;

static void start(struct child *child, struct throng_address *address)
{
    const char *const arguments[] = {program,       "--listen", "tcp://127.0.0.1:0",
                                     "--linger-ms", "9000",     NULL};
    child_start(child, arguments);
    assert_true(child_read_address(child, address, test_deadline_ms()));
}

static void send_event(const struct child *child, DWORD event)
{
    FARPROC routine = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "CtrlRoutine");
    LPTHREAD_START_ROUTINE entry;
    _Static_assert(sizeof(entry) == sizeof(routine), "pointers to functions are alike");
    memcpy(&entry, &routine, sizeof(entry));
    assert_non_null(routine);
    HANDLE thread = CreateRemoteThread((HANDLE)child->process, NULL, 0, entry,
                                       (void *)(uintptr_t)event, 0, NULL);
    assert_non_null(thread);
    assert_true(CloseHandle(thread));
}

static void expect_good_end(struct child *child)
{
    char out[TEXT_SIZE];
    char err[TEXT_SIZE];
    if (!child_await_end(child, out, err, TEXT_SIZE, 2 * test_deadline_ms())) {
        fail_msg("it does not end; it said: %s%s", out, err);
    }
    if (child->status != 0 || strstr(err, "served: accepted 1") == NULL) {
        fail_msg("exit status %d; it said: %s%s", child->status, out, err);
    }
}

/* A connection that has been served. */
static void connect_peer(struct peer *peer, const struct throng_address *address)
{
    char reply = 0;
    assert_true(peer_connect(peer, address, NULL));
    assert_true(peer_send_frame(peer, "x", 1, test_deadline_ms()));
    assert_int_equal(peer_receive_frame(peer, &reply, 1, test_deadline_ms()), 1);
}

static void expect_drain(DWORD event)
{
    struct child child;
    struct throng_address address;
    struct peer peer;
    start(&child, &address);
    connect_peer(&peer, &address);
    send_event(&child, event);
    assert_int_equal(peer_await_end(&peer, test_deadline_ms()), PEER_END);
    peer_close(&peer);
    expect_good_end(&child);
    child_end(&child);
}

static void ctrl_c_drains_it(void **state)
{
    (void)state;
    expect_drain(CTRL_C_EVENT);
}

static void ctrl_break_drains_it(void **state)
{
    (void)state;
    expect_drain(CTRL_BREAK_EVENT);
}

static void the_close_of_the_console_drains_it(void **state)
{
    (void)state;
    expect_drain(CTRL_CLOSE_EVENT);
}

/* The peer's end does not come; a drain by Ctrl-C would linger for nine seconds. How long it took. */
static int64_t end_in_spite_of_a_peer(void)
{
    struct child child;
    struct throng_address address;
    struct peer peer;
    start(&child, &address);
    connect_peer(&peer, &address);
    int64_t begin_ms = test_now_ms();
    send_event(&child, CTRL_CLOSE_EVENT);
    assert_int_equal(peer_await_end(&peer, test_deadline_ms()), PEER_END);
    expect_good_end(&child);
    int64_t passed_ms = test_now_ms() - begin_ms;
    peer_close(&peer);
    child_end(&child);
    return passed_ms;
}

/* Windows would end it after five seconds. A busy machine may be late by accident, but not each time. */
static void what_is_not_drained_before_the_console_is_gone_is_stopped(void **state)
{
    int64_t passed_ms = INT64_MAX;
    (void)state;
    for (int attempt = 0; attempt < 4 && passed_ms > 4900; attempt++) {
        passed_ms = end_in_spite_of_a_peer();
        assert_true(passed_ms >= 3000);
    }
    assert_true(passed_ms <= 4900);
}

/* Past child_read, which takes the carriage returns out. */
static void lines_of_its_output_end_as_everywhere(void **state)
{
    const char *const arguments[] = {program, "--help", NULL};
    struct child child;
    char text[TEXT_SIZE];
    DWORD size = 0;
    (void)state;
    child_start(&child, arguments);
    assert_true(ReadFile((HANDLE)child.out, text, sizeof text, &size, NULL));
    assert_true(size > 0);
    assert_non_null(memchr(text, '\n', size));
    assert_null(memchr(text, '\r', size));
    child_end(&child);
}

static void what_windows_does_not_have_is_refused(void **state)
{
    static const struct {
        const char *option;
        const char *value;
        const char *reason;
    } rows[] = {
        {"--user", "nobody", "user is \"nobody\"; Windows chooses the account"},
        {"--sandbox", "on", "sandbox is \"on\"; it must be off"},
        {"--sandbox", "maybe", "sandbox is \"maybe\"; it must be on or off"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const arguments[] = {program,        "--listen",    "tcp://127.0.0.1:0",
                                         rows[i].option, rows[i].value, NULL};
        struct child child;
        char out[TEXT_SIZE];
        char err[TEXT_SIZE];
        child_start(&child, arguments);
        assert_true(child_await_end(&child, out, err, TEXT_SIZE, 2 * test_deadline_ms()));
        assert_string_equal(out, "");
        assert_non_null(strstr(err, rows[i].reason));
        assert_int_equal(child.status, 2);
        child_end(&child);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ctrl_c_drains_it),
        cmocka_unit_test(ctrl_break_drains_it),
        cmocka_unit_test(the_close_of_the_console_drains_it),
        cmocka_unit_test(what_is_not_drained_before_the_console_is_gone_is_stopped),
        cmocka_unit_test(lines_of_its_output_end_as_everywhere),
        cmocka_unit_test(what_windows_does_not_have_is_refused),
    };
    program = argc > 1 ? argv[1] : "throng-echo.exe";
    return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}

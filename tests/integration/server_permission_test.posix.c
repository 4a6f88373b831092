/* SPDX-License-Identifier: MIT
 * A port that the system keeps for its administrator. (Windows keeps none.) */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server_fixture.h"

/* In a child of its own, which gives its rights away first. */
static int start_on_port_1_as_nobody(struct server_fixture *fixture)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        return 2;
    }
    struct throng_server *server = NULL;
    struct throng_error error = {0};
    fixture->options.listen[0] = "tcp://127.0.0.1:1";
    int result = throng_server_start(&server, &fixture->options, &error);
    return result == THRONG_EACCES && strstr(error.text, "tcp://127.0.0.1:1") != NULL ? 0 : 3;
}

static void a_port_without_permission_is_named(void **state)
{
    struct server_fixture *fixture = *state;
    int first_free_port = 1024;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
    if (file != NULL) {
        assert_int_equal(fscanf(file, "%d", &first_free_port), 1);
        (void)fclose(file);
    }
    if (first_free_port <= 1) {
        print_message("skipped: every port is free for everybody here\n");
        skip();
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(start_on_port_1_as_nobody(fixture));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_without_permission_is_named),
    };
    return fixture_run_tests("server_permission", tests, sizeof(tests) / sizeof(tests[0]));
}

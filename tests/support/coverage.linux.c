/* SPDX-License-Identifier: MIT
 * Keeps what a child process covered. gcov writes its counters at exit, and a child of a test ends
 * with _exit, _Exit or, on purpose, with abort: without this file its lines count as never run. In
 * the build for coverage every test links it, with --wrap for the three. Any thread. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 65536

/* The linker makes up the names: __wrap_ takes the calls, __real_ is what they meant. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __real__Exit(int status);
_Noreturn void __real_abort(void);
_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap__Exit(int status);
_Noreturn void __wrap_abort(void);

/* A child that used its descriptors up has none left for the files of gcov. It ends here, so those
 * that it has are of no more use. One at a time: close_range may be what the child was denied. */
static void keep_counters(void)
{
    int spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (spare >= 0) {
        (void)close(spare);
    } else {
        for (int number = 3; number < DESCRIPTORS_MAX; number++) {
            (void)close(number);
        }
    }
    __gcov_dump();
}

_Noreturn void __wrap__exit(int status)
{
    keep_counters();
    __real__exit(status);
}

_Noreturn void __wrap__Exit(int status)
{
    keep_counters();
    __real__Exit(status);
}

_Noreturn void __wrap_abort(void)
{
    keep_counters();
    __real_abort();
}
/* NOLINTEND(bugprone-reserved-identifier) */

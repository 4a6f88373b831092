/* SPDX-License-Identifier: MIT
 * The standard streams, led into a file for a while. */
#include "streams.h"

#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

size_t test_streams_said(void (*run)(void *context), void *context)
{
    struct stat said;
    FILE *file = tmpfile();
    assert_non_null(file);
    (void)fflush(stdout);
    (void)fflush(stderr);
    int saved_out = dup(STDOUT_FILENO);
    int saved_err = dup(STDERR_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    run(context);
    (void)fflush(stdout);
    (void)fflush(stderr);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(saved_out);
    close(saved_err);
    assert_int_equal(fstat(fileno(file), &said), 0);
    (void)fclose(file);
    return (size_t)said.st_size;
}

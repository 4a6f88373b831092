/* SPDX-License-Identifier: MIT
 * Starts that are wrong on purpose where their one socket, or a block of memory, is refused: the
 * test must see each of them for what it is, or its good word means nothing. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scenario.h"

static int sock = -1;
static void *volatile block; /* of memory that nobody gives back */

static const int documented[] = {THRONG_EMFILE, 0};

static bool prepare(const struct scenario *scenario)
{
    (void)scenario;
    return true;
}

static int say(struct throng_error *error, int code, const char *text)
{
    error->code = code;
    (void)snprintf(error->text, sizeof(error->text), "%s", text);
    return code;
}

/* What every one of them does. */
static bool open_socket(void)
{
    void *volatile room = malloc(16);
    sock = -1;
    if (room == NULL) {
        return false;
    }
    free(room);
    sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return sock >= 0;
}

static int start_sound(const struct scenario *scenario, struct throng_error *error)
{
    (void)scenario;
    return open_socket() ? 0 : say(error, THRONG_EMFILE, "no socket");
}

static int start_leaving_a_descriptor(const struct scenario *scenario, struct throng_error *error)
{
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int result = start_sound(scenario, error);
    if (result == 0) {
        close(file);
    }
    return result;
}

static int start_leaving_a_block(const struct scenario *scenario, struct throng_error *error)
{
    block = malloc(100);
    int result = start_sound(scenario, error);
    if (result == 0) {
        free(block);
    }
    return result;
}

static int start_leaving_a_mapping(const struct scenario *scenario, struct throng_error *error)
{
    void *pages = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int result = start_sound(scenario, error);
    if (result == 0 && pages != MAP_FAILED) {
        (void)munmap(pages, 4096);
    }
    return result;
}

static int start_hanging(const struct scenario *scenario, struct throng_error *error)
{
    int result = start_sound(scenario, error);
    while (result != 0) { /* NOLINT(bugprone-infinite-loop): it hangs, that is what it is for */
        (void)sleep(1);
    }
    return result;
}

static int start_dying(const struct scenario *scenario, struct throng_error *error)
{
    int result = start_sound(scenario, error);
    if (result != 0) {
        abort();
    }
    return result;
}

static int start_without_a_word(const struct scenario *scenario, struct throng_error *error)
{
    (void)scenario;
    return open_socket() ? 0 : say(error, THRONG_EMFILE, "");
}

static int start_with_another_error(const struct scenario *scenario, struct throng_error *error)
{
    (void)scenario;
    return open_socket() ? 0 : say(error, THRONG_EPROTOCOL, "no socket");
}

static int start_lying(const struct scenario *scenario, struct throng_error *error)
{
    (void)scenario;
    (void)error;
    (void)open_socket();
    return 0;
}

static int start_never_again(const struct scenario *scenario, struct throng_error *error)
{
    static bool is_broken;
    is_broken = is_broken || !open_socket();
    (void)scenario;
    return is_broken ? say(error, THRONG_EMFILE, "no socket") : 0;
}

static bool serve(const struct scenario *scenario)
{
    (void)scenario;
    return sock >= 0;
}

static void stop(const struct scenario *scenario)
{
    (void)scenario;
    if (sock >= 0) {
        close(sock);
    }
}

#define FAKE(title, way, expected)                                                                 \
    {                                                                                              \
        .name = (title), .backend = "fake", .limit_ms = (expected) == SCENARIO_HANGS ? 2000 : 0,   \
        .documented = documented, .fault = (expected), .prepare = prepare, .start = (way),         \
        .serve = serve, .stop = stop                                                               \
    }

static const struct scenario scenarios[] = {
    FAKE("sound", start_sound, SCENARIO_SOUND),
    FAKE("leaves a descriptor", start_leaving_a_descriptor, SCENARIO_LEAKS),
    FAKE("leaves a block", start_leaving_a_block, SCENARIO_LEAKS),
    FAKE("leaves a mapping", start_leaving_a_mapping, SCENARIO_LEAKS),
    FAKE("hangs", start_hanging, SCENARIO_HANGS),
    FAKE("dies", start_dying, SCENARIO_WRONG),
    FAKE("without a word", start_without_a_word, SCENARIO_WRONG),
    FAKE("another error", start_with_another_error, SCENARIO_WRONG),
    FAKE("lies", start_lying, SCENARIO_WRONG),
    FAKE("never again", start_never_again, SCENARIO_WRONG),
};

const struct scenario *fake_scenario(size_t index)
{
    return index < sizeof(scenarios) / sizeof(scenarios[0]) ? &scenarios[index] : NULL;
}

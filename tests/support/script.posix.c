/* SPDX-License-Identifier: MIT
 * The threads of scripted peers. */
#include "script.h"

#include <poll.h>

static void *run_script(void *argument)
{
    struct script *script = argument;
    script->went_well = script->play(script);
    return NULL;
}

bool script_start(struct script *script)
{
    atomic_store(&script->is_over, false);
    script->went_well = false;
    script->is_running = pthread_create(&script->thread, NULL, run_script, script) == 0;
    return script->is_running;
}

bool script_join(struct script *script)
{
    if (!script->is_running || pthread_join(script->thread, NULL) != 0) {
        return false;
    }
    script->is_running = false;
    return script->went_well;
}

void script_dawdle(int pause_ms)
{
    (void)poll(NULL, 0, pause_ms);
}

bool script_await_input(const struct script *script, int limit_ms)
{
    struct pollfd entry = {.fd = script->peer.descriptor, .events = POLLIN};
    return poll(&entry, 1, limit_ms) == 1;
}

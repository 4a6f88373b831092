/* SPDX-License-Identifier: MIT
 * The threads of scripted peers. */
#include "script.h"

#include "stopwatch.h"

static void run_script(void *argument)
{
    struct script *script = argument;
    script->went_well = script->play(script);
}

bool script_start(struct script *script)
{
    atomic_store(&script->is_over, false);
    script->went_well = false;
    script->is_running = test_thread_start(&script->thread, run_script, script);
    return script->is_running;
}

bool script_join(struct script *script)
{
    if (!script->is_running || !test_thread_join(&script->thread)) {
        return false;
    }
    script->is_running = false;
    return script->went_well;
}

void script_dawdle(int pause_ms)
{
    test_pause_us((uint32_t)pause_ms * 1000);
}

bool script_await_input(const struct script *script, int limit_ms)
{
    return peer_await(&script->peer, true, false, limit_ms);
}

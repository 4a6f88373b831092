/* SPDX-License-Identifier: MIT
 * The plan of descriptor tables. At start, any thread.
 *
 *   limit >= connections + reserve + open                          one table, one thread will do
 *   else, threads x (limit - reserve) > connections                private tables
 *   else                                                           no plan
 */
#include "os/descriptor_plan.h"

#include "os/thread.h"

bool tg_descriptor_plan_make(struct tg_descriptor_plan *plan, uint32_t connections, uint32_t open,
                             uint32_t threads_most)
{
    uint32_t wanted = connections + TG_DESCRIPTORS_RESERVED + open;
    uint32_t limit = tg_descriptor_limit_raise(wanted);
    *plan = (struct tg_descriptor_plan){.limit = limit, .threads = 1};
    plan->per_table = limit > TG_DESCRIPTORS_RESERVED ? limit - TG_DESCRIPTORS_RESERVED : 0;
    if (limit >= wanted) {
        return true;
    }
    plan->own_tables = true;
    if (plan->per_table == 0) {
        return false;
    }
    /* Room for one more than that, so that a full server still has a thread to tell the next
     * one. */
    plan->threads = connections / plan->per_table + 1;
    return plan->threads <= threads_most;
}

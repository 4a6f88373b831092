/* SPDX-License-Identifier: MIT
 * throng-sim: server, clients and game on the simulated system, run after run. */
#include <stdio.h>

#include "campaign.h"
#include "failure.h"

static void print_plan(const struct options *options)
{
    static struct plan plan;
    char text[8192];
    options_plan(options, options->first, &plan);
    plan_print(&plan, text, sizeof text);
    printf("%s", text);
}

int main(int count, char **arguments)
{
    struct options options;
    int status;
    if (!options_read(&options, count, arguments, &status)) {
        return status;
    }
    if (options.plan_only) {
        print_plan(&options);
        return 0;
    }
    failure_watch(&options);
    if (options.is_one) {
        struct run_result result;
        campaign_run_one(&options, options.first, options.verify_each > 0, &result);
        campaign_print_run(&result);
        return 0;
    }
    if (!options.json && options.list == NULL) {
        printf("seeds from %llu\n", (unsigned long long)options.first);
    }
    return campaign_run(&options) == 0 ? 0 : 1;
}

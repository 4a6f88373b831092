/* SPDX-License-Identifier: MIT
 * See look.h. */
#include "look.h"

#include <stdio.h>
#include <string.h>

#include "../terminal/text.h"

const char *look_prefix(char prefix[LOOK_PREFIX_SIZE], const struct line *line)
{
    static const char *const forms[] = {
        [LINE_SAID] = "<%s>",   [LINE_ACTION] = "* %s", [LINE_PRIVATE] = "from %s:",
        [LINE_TOLD] = "to %s:", [LINE_NOTICE] = "--",   [LINE_COMING] = "--",
        [LINE_ERROR] = "!!"};
    const char *form = forms[line->kind];
    const char *place = strstr(form, "%s");
    if (place == NULL) {
        (void)snprintf(prefix, LOOK_PREFIX_SIZE, "%s", form);
    } else {
        (void)snprintf(prefix, LOOK_PREFIX_SIZE, "%.*s%s%s", (int)(place - form), form, line->name,
                       place + 2);
    }
    return prefix;
}

int look_color(const char *name)
{
    return LOOK_GREEN + (int)(text_hash(name, strlen(name)) % (LOOK_CYAN - LOOK_GREEN + 1));
}

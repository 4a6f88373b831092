/* SPDX-License-Identifier: MIT
 * The dashboard as one line of JSON, for scripts. */
#ifndef TOP_JSON_H
#define TOP_JSON_H

#include <stdio.h>

#include "dashboard.h"

/* What is not known is null. README.md lists the keys. */
void json_dashboard(FILE *file, const struct dashboard *dashboard, const char *endpoint);

#endif

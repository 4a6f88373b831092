/* SPDX-License-Identifier: MIT
 * Fetches /metrics into a page. Waits, but never longer than it is told. Main thread. */
#ifndef TOP_FETCH_H
#define TOP_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include <throng/types.h>

#include "page.h"

#define FETCH_COMPLAINT_SIZE 160

/* `endpoint` is "tcp://HOST:PORT", for the request and for complaints; `address` is what it was
 * resolved to. False, with a sentence in `complaint`, if no page came; `page` then has no
 * meaning. */
bool fetch_page(struct page *page, const char *endpoint, const struct throng_address *address,
                uint32_t timeout_ms, char complaint[FETCH_COMPLAINT_SIZE]);

#endif

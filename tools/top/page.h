/* SPDX-License-Identifier: MIT
 * One answer of /metrics: its bytes and the samples in it, looked up by name. Pure. */
#ifndef TOP_PAGE_H
#define TOP_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prometheus.h"

/* throng's own page has about 8 KiB and 150 samples; more are passed over and counted. */
#define PAGE_BYTES_MAX (256u * 1024u)
#define PAGE_SAMPLES_MAX 2048

struct page {
    uint64_t at_ms; /* when it came */
    size_t size;
    char bytes[PAGE_BYTES_MAX];
    size_t count;
    struct prometheus_sample samples[PAGE_SAMPLES_MAX]; /* point into `bytes` */
    unsigned bad_lines;
    unsigned samples_passed_over;
};

/* Finds the samples in bytes[0..size). */
void page_read(struct page *page);

/* The next sample called `name` at or after place *from, which moves behind it; NULL if there is
 * none. */
const struct prometheus_sample *page_next(const struct page *page, const char *name, size_t *from);

/* The sum of all samples called `name`; `otherwise` if there are none. */
double page_sum(const struct page *page, const char *name, double otherwise);

/* The same sample, by name and labels, in another page; NULL if it is not there. */
const struct prometheus_sample *page_same(const struct page *page,
                                          const struct prometheus_sample *sample);

/* A label's value, "" if there is none. */
void page_label(const struct prometheus_sample *sample, const char *key, char *value, size_t size);

#endif

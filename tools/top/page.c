/* SPDX-License-Identifier: MIT
 * See page.h. */
#include "page.h"

#include <string.h>

void page_read(struct page *page)
{
    struct prometheus_reader reader;
    struct prometheus_sample sample = {0};
    page->count = 0;
    page->samples_passed_over = 0;
    prometheus_begin(&reader, page->bytes, page->size);
    while (prometheus_next(&reader, &sample)) {
        if (page->count == PAGE_SAMPLES_MAX) {
            page->samples_passed_over++;
        } else {
            page->samples[page->count++] = sample;
        }
    }
    page->bad_lines = reader.bad_lines;
}

const struct prometheus_sample *page_next(const struct page *page, const char *name, size_t *from)
{
    size_t size = strlen(name);
    for (size_t i = *from; i < page->count; i++) {
        const struct prometheus_sample *sample = &page->samples[i];
        if (sample->name_size == size && memcmp(sample->name, name, size) == 0) {
            *from = i + 1;
            return sample;
        }
    }
    *from = page->count;
    return NULL;
}

double page_sum(const struct page *page, const char *name, double otherwise)
{
    size_t from = 0;
    const struct prometheus_sample *sample = page_next(page, name, &from);
    if (sample == NULL) {
        return otherwise;
    }
    double sum = 0;
    for (; sample != NULL; sample = page_next(page, name, &from)) {
        sum += sample->value;
    }
    return sum;
}

const struct prometheus_sample *page_same(const struct page *page,
                                          const struct prometheus_sample *sample)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct prometheus_sample *other = &page->samples[i];
        if (other->name_size == sample->name_size && other->labels_size == sample->labels_size &&
            memcmp(other->name, sample->name, sample->name_size) == 0 &&
            memcmp(other->labels, sample->labels, sample->labels_size) == 0) {
            return other;
        }
    }
    return NULL;
}

void page_label(const struct prometheus_sample *sample, const char *key, char *value, size_t size)
{
    if (!prometheus_label(sample->labels, sample->labels_size, key, value, size)) {
        value[0] = '\0';
    }
}

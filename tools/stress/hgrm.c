/* SPDX-License-Identifier: MIT
 * See hgrm.h. */
#include "hgrm.h"

#include <inttypes.h>
#include <math.h>

#define ROWS_A_HALF 5
#define NS_IN_MS 1e6

static void write_row(FILE *file, const struct histogram *histogram, double share)
{
    uint64_t value = histogram_at(histogram, (uint32_t)(share * 1e6 + 0.5));
    fprintf(file, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", (double)value / NS_IN_MS, share,
            histogram_count_to(histogram, value), 1 / (1 - share));
}

void hgrm_write(FILE *file, const struct histogram *histogram)
{
    double mean;
    double variance;
    fputs("       Value     Percentile TotalCount 1/(1-Percentile)\n\n", file);
    /* Halves of halves, until one value is more than the rest; histogram_at tells millionths
     * apart. */
    double rest = 1;
    while (rest * (double)histogram->count >= 1 && rest > 2e-6) {
        for (int row = 0; row < ROWS_A_HALF; row++) {
            write_row(file, histogram, 1 - rest + rest / 2 * row / ROWS_A_HALF);
        }
        rest /= 2;
    }
    histogram_moments(histogram, &mean, &variance);
    fprintf(file, "%12.3f %2.12f %10" PRIu64 "\n", (double)histogram->max / NS_IN_MS, 1.0,
            histogram->count);
    fprintf(file, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean / NS_IN_MS,
            sqrt(variance) / NS_IN_MS);
    fprintf(file, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n",
            (double)histogram->max / NS_IN_MS, histogram->count);
    fprintf(file, "#[Buckets = %12d, SubBuckets     = %12u]\n",
            HISTOGRAM_VALUE_BITS - HISTOGRAM_PART_BITS + 1, HISTOGRAM_PARTS);
}

/* SPDX-License-Identifier: MIT
 * A histogram as text, in the format of HdrHistogram's percentile output, which its plotters read:
 *
 *     Value     Percentile TotalCount 1/(1-Percentile)
 *
 * Values are milliseconds; each half of the distance to 100 % has five rows. Main thread. */
#ifndef STRESS_HGRM_H
#define STRESS_HGRM_H

#include <stdio.h>

#include "histogram.h"

void hgrm_write(FILE *file, const struct histogram *histogram);

#endif

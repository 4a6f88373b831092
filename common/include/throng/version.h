/* SPDX-License-Identifier: MIT
 * The version of throng: what was compiled against, and what is linked. */
#ifndef THRONG_VERSION_H
#define THRONG_VERSION_H

#include <throng/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define THRONG_VERSION_MAJOR 0
#define THRONG_VERSION_MINOR 1
#define THRONG_VERSION_PATCH 0
#define THRONG_VERSION_TEXT "0.1.0"

/* The linked library's version as "major.minor.patch". Any thread. */
THRONG_API const char *throng_version(void);

#ifdef __cplusplus
}
#endif

#endif

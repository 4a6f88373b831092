/* SPDX-License-Identifier: MIT
 * Lets the compiler check the arguments of functions that format like printf. */
#ifndef TG_FORMAT_H
#define TG_FORMAT_H

#include <stdio.h>

/* TG_FORMAT(2, 3): the second parameter is the format, the third the first to be formatted. gcc
 * takes "printf" for the system's own; a C library that brings one of C11 beside it names that. */
#if defined(__MINGW_PRINTF_FORMAT)
#define TG_FORMAT(text, first) __attribute__((format(__MINGW_PRINTF_FORMAT, text, first)))
#elif defined(__GNUC__)
#define TG_FORMAT(text, first) __attribute__((format(printf, text, first)))
#else
#define TG_FORMAT(text, first)
#endif

#endif

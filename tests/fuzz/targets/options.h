/* SPDX-License-Identifier: MIT
 * The parts of the target `options`: each takes the rest of the input. */
#ifndef FUZZ_OPTIONS_H
#define FUZZ_OPTIONS_H

#include "fuzz.h"

/* The rest of the script as a text in memory that ends with its NUL: options_text.c. */
#define FUZZ_TEXT_MAX 400u
const char *fuzz_text(struct fuzz_script *script);

void fuzz_endpoint(struct fuzz_script *script);         /* options_text.c */
void fuzz_numeric_address(struct fuzz_script *script);  /* options_text.c */
void fuzz_address_bytes(struct fuzz_script *script);    /* options_text.c */
void fuzz_server_options(struct fuzz_script *script);   /* options_server.c */
void fuzz_option_text(struct fuzz_script *script);      /* options_set.c */
void fuzz_stress_arguments(struct fuzz_script *script); /* options_stress.c */

/* The system that the server's options are checked on: options_system.c. */
struct fuzz_system {
    uint32_t processors;
    uint32_t descriptors_open;
    uint32_t descriptors_most;
    bool has_uring;
    bool uring_has_table;
};

extern struct fuzz_system fuzz_system;

/* Bytes of a port's memory in that system. */
size_t fuzz_port_bytes(uint32_t streams_max, uint32_t buffers_max);

#endif

/* SPDX-License-Identifier: MIT
 * The established connections of the system's own table, one by one. For kernel_table.c. */
#ifndef STRESS_KERNEL_ROWS_H
#define STRESS_KERNEL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kernel_row {
    const void *key; /* both addresses and ports in the system's form: no other connection has it */
    size_t key_size;
    uint16_t local_port;
    uint16_t remote_port;
};

/* Answers whether it wants more. */
typedef bool kernel_row_function(void *context, const struct kernel_row *row);

/* Hands each row to `take`; a row may come twice. False if the system does not tell, or `take` did
 * not want all. */
bool kernel_rows_read(kernel_row_function *take, void *context);

#endif

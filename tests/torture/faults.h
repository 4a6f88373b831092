/* SPDX-License-Identifier: MIT
 * Which system calls can fail, and with what, on a kernel that is in order; and which cannot, and
 * why. A call that a process under test makes and that is in neither list fails the test: somebody
 * has to think about it. Read by the runner in the parent process. */
#ifndef TEST_TORTURE_FAULTS_H
#define TEST_TORTURE_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULT_ERRORS_MAX 5

/* Which calls of that number a rule is for. */
enum fault_filter {
    FAULT_ALL = 0,
    FAULT_ARGUMENT_IS,
    FAULT_ARGUMENT_IS_NOT
};

struct fault_rule {
    long number;
    const char *name;
    int errors[FAULT_ERRORS_MAX]; /* 0 ends them; none at all: it is left alone */
    const char *reason;           /* why it is left alone */
    const char *must_say;         /* what the text of a start that it ends must name; NULL: any */
    enum fault_filter filter;
    uint32_t argument; /* 0..5 */
    uint64_t value;
};

/* The first rule that fits, or NULL: nobody has thought about it yet. */
const struct fault_rule *fault_rule_for(long number, const uint64_t *arguments);

/* The call's name, or "?". */
const char *fault_call_name(long number);

/* Rules by index, NULL after the last one. */
const struct fault_rule *fault_rule_at(size_t index);

/* All calls of that number are left alone, so nobody needs to look at them. */
bool fault_rule_is_blanket(const struct fault_rule *rule);

#endif

/* SPDX-License-Identifier: MIT
 * Fibers: ucontext makes a stack and enters it once; from then on setjmp and longjmp switch, which
 * cost no system call. The sanitizers are told of each switch. */
#include "sim/fiber.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

#include "base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

struct tg_fiber {
    jmp_buf place; /* where it goes on, once `entered` */
    ucontext_t entry;
    bool entered;
    void (*main)(void *);
    void *argument;
    void *stack; /* NULL: the thread's own */
    size_t stack_bytes;
    const void *asan_stack; /* the stack as the address sanitizer knows it */
    size_t asan_stack_bytes;
    void *asan_frames; /* its shadow stack while the fiber does not run */
    void *tsan;        /* the thread sanitizer's fiber */
};

#ifdef WITH_ASAN
/* The address sanitizer knows a stack's frames by its memory: each fiber has fresh one. */
static void *take_stack(size_t bytes)
{
    return malloc(bytes);
}

static void give_stack(void *stack, size_t bytes)
{
    (void)bytes;
    free(stack);
}
#else
/* Stacks of fibers that are gone, for the next ones: worlds are many and short, and a fresh stack
 * costs its first touch. */
#define SPARE_STACKS 16
static struct {
    void *stack;
    size_t bytes;
} spare_stacks[SPARE_STACKS];
static int spare_count;

static void *take_stack(size_t bytes)
{
    for (int i = 0; i < spare_count; i++) {
        if (spare_stacks[i].bytes == bytes) {
            void *stack = spare_stacks[i].stack;
            spare_stacks[i] = spare_stacks[--spare_count];
            return stack;
        }
    }
    return malloc(bytes);
}

static void give_stack(void *stack, size_t bytes)
{
    if (stack != NULL && spare_count < SPARE_STACKS) {
        spare_stacks[spare_count].stack = stack;
        spare_stacks[spare_count++].bytes = bytes;
    } else {
        free(stack);
    }
}
#endif

/* Which fiber is being switched from: the entered one learns of its stack from the sanitizer. */
static struct tg_fiber *leaving;

static void before_switch(struct tg_fiber *current, struct tg_fiber *target, bool for_ever)
{
    leaving = current;
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(for_ever ? NULL : &current->asan_frames, target->asan_stack,
                                   target->asan_stack_bytes);
#endif
#ifdef WITH_TSAN
    __tsan_switch_to_fiber(target->tsan, 0);
#endif
    (void)target;
    (void)for_ever;
}

static void after_switch(struct tg_fiber *self)
{
#ifdef WITH_ASAN
    const void *stack;
    size_t bytes;
    __sanitizer_finish_switch_fiber(self->asan_frames, &stack, &bytes);
    if (leaving->stack == NULL) {
        leaving->asan_stack = stack;
        leaving->asan_stack_bytes = bytes;
    }
#endif
    (void)self;
}

/* makecontext passes ints; a pointer goes in two halves. */
static void enter(unsigned low, unsigned high)
{
    struct tg_fiber *self = (struct tg_fiber *)((uintptr_t)low | (uintptr_t)high << 32);
    after_switch(self);
    self->main(self->argument);
    TG_UNREACHABLE("a fiber's main returned");
}

struct tg_fiber *tg_fiber_of_thread(void)
{
    struct tg_fiber *fiber = calloc(1, sizeof *fiber);
    if (fiber != NULL) {
        fiber->entered = true;
#ifdef WITH_TSAN
        fiber->tsan = __tsan_get_current_fiber();
#endif
    }
    return fiber;
}

/* Kept apart: getcontext returns twice, as the compiler sees it. */
TG_OUT_OF_LINE static bool make_entry(struct tg_fiber *fiber)
{
    /* cppcheck-suppress getcontextCalled ; obsolescent since 2008, and the one portable way to a stack */
    if (getcontext(&fiber->entry) != 0) {
        return false;
    }
    fiber->entry.uc_stack.ss_sp = fiber->stack;
    fiber->entry.uc_stack.ss_size = fiber->stack_bytes;
    fiber->entry.uc_link = NULL;
    uintptr_t self = (uintptr_t)fiber;
    makecontext(&fiber->entry, (void (*)(void))enter, 2, (unsigned)(self & 0xffffffffu),
                (unsigned)(self >> 32));
    return true;
}

struct tg_fiber *tg_fiber_create(void (*main)(void *), void *argument, size_t stack_bytes)
{
    struct tg_fiber *fiber = calloc(1, sizeof *fiber);
    if (fiber == NULL) {
        return NULL;
    }
    fiber->main = main;
    fiber->argument = argument;
    fiber->stack = take_stack(stack_bytes);
    fiber->stack_bytes = stack_bytes;
    fiber->asan_stack = fiber->stack;
    fiber->asan_stack_bytes = stack_bytes;
    if (fiber->stack == NULL || !make_entry(fiber)) {
        give_stack(fiber->stack, stack_bytes);
        free(fiber);
        return NULL;
    }
#ifdef WITH_TSAN
    fiber->tsan = __tsan_create_fiber(0);
#endif
    return fiber;
}

static void go_on(struct tg_fiber *target)
{
    if (target->entered) {
        _longjmp(target->place, 1);
    }
    target->entered = true;
    setcontext(&target->entry);
    TG_UNREACHABLE("setcontext returned");
}

void tg_fiber_switch(struct tg_fiber *current, struct tg_fiber *target)
{
    before_switch(current, target, false);
    if (_setjmp(current->place) == 0) {
        go_on(target);
    }
    after_switch(current);
}

_Noreturn void tg_fiber_leave(struct tg_fiber *current, struct tg_fiber *target)
{
    before_switch(current, target, true);
    go_on(target);
    TG_UNREACHABLE("a fiber that has left goes on");
}

void tg_fiber_destroy(struct tg_fiber *fiber)
{
    if (fiber == NULL) {
        return;
    }
#ifdef WITH_TSAN
    if (fiber->stack != NULL) {
        __tsan_destroy_fiber(fiber->tsan);
    }
#endif
    give_stack(fiber->stack, fiber->stack_bytes);
    free(fiber);
}

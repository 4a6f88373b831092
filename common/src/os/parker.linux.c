/* SPDX-License-Identifier: MIT
 * The parker on a futex: its `sleeping` word is the futex itself. One sleeper, any number of
 * wakers. */
#include "os/parker.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(_Atomic uint32_t) == 4, "a futex is a word of four bytes");

static long call_futex(_Atomic uint32_t *word, int operation, uint32_t value,
                       const struct timespec *timeout)
{
    return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

void tg_parker_init(struct tg_parker *parker)
{
    atomic_init(&parker->sleeping, 0);
}

void tg_parker_prepare(struct tg_parker *parker)
{
    atomic_store_explicit(&parker->sleeping, 1, memory_order_relaxed);
    /* Full fence: pairs with the one in tg_parker_wake. Either we see the work published before it,
     * or the waker sees our announcement. */
    atomic_thread_fence(memory_order_seq_cst);
}

void tg_parker_cancel(struct tg_parker *parker)
{
    atomic_store_explicit(&parker->sleeping, 0, memory_order_relaxed);
}

void tg_parker_sleep(struct tg_parker *parker, int64_t timeout_ns)
{
    struct timespec timeout;
    if (timeout_ns >= 0) {
        timeout.tv_sec = (time_t)(timeout_ns / 1000000000);
        timeout.tv_nsec = (long)(timeout_ns % 1000000000);
    }
    /* Returns at once if a waker has ended the announcement meanwhile; that comparison is the
     * kernel's, under the lock that the waker's call takes too. Every other answer (a wake, the
     * time-out, a signal) means the same to the caller: look for work again. */
    (void)call_futex(&parker->sleeping, FUTEX_WAIT_PRIVATE, 1, timeout_ns < 0 ? NULL : &timeout);
    atomic_store_explicit(&parker->sleeping, 0, memory_order_relaxed);
}

bool tg_parker_wake(struct tg_parker *parker)
{
    atomic_thread_fence(memory_order_seq_cst); /* pairs with tg_parker_prepare */
    if (atomic_load_explicit(&parker->sleeping, memory_order_relaxed) == 0) {
        return false;
    }
    /* Of several wakers only the one that ends the announcement makes the call. */
    if (atomic_exchange_explicit(&parker->sleeping, 0, memory_order_relaxed) == 0) {
        return false;
    }
    (void)call_futex(&parker->sleeping, FUTEX_WAKE_PRIVATE, 1, NULL);
    return true;
}

/* SPDX-License-Identifier: MIT
 * The parker on WaitOnAddress (Windows 8): its `sleeping` word is what is waited on. One sleeper,
 * any number of wakers, also a console control handler, which is a thread of its own. */
#include "os/parker.h"

#include <windows.h>

_Static_assert(sizeof(_Atomic uint32_t) == 4, "WaitOnAddress compares 1, 2, 4 or 8 bytes");

#define NS_PER_MS 1000000

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

/* Rounded up: with less than a millisecond to go, zero would be a busy loop. The system's own timer
 * may be coarser (15.6 ms, unless some program has asked for better). */
static DWORD wait_ms(int64_t timeout_ns)
{
    if (timeout_ns < 0) {
        return INFINITE;
    }
    int64_t ms = timeout_ns / NS_PER_MS + (timeout_ns % NS_PER_MS != 0);
    return ms < INFINITE ? (DWORD)ms : INFINITE - 1;
}

void tg_parker_sleep(struct tg_parker *parker, int64_t timeout_ns)
{
    uint32_t announced = 1;
    /* Returns at once if a waker has ended the announcement meanwhile; that comparison is made
     * under the lock that the waker's call takes too. Every other answer (a wake, the time-out, no
     * reason at all) means the same to the caller: look for work again. */
    (void)WaitOnAddress(&parker->sleeping, &announced, sizeof announced, wait_ms(timeout_ns));
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
    WakeByAddressSingle(&parker->sleeping); /* the address is a key: nothing there is read */
    return true;
}

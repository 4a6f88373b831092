/* SPDX-License-Identifier: MIT
 * Assertions that stay on in release builds. They check our own code, never what a peer can send:
 * a failing one prints one line and aborts. */
#ifndef TG_BASE_ASSERT_H
#define TG_BASE_ASSERT_H

_Noreturn void tg_assert_failed(const char *kind, const char *condition, const char *file,
                                int line);

#if defined(__GNUC__)
#define TG_LIKELY(x) __builtin_expect(!!(x), 1)
/* A function off the hot path that stays one, so that its hot caller need not save registers. */
#define TG_OUT_OF_LINE __attribute__((noinline))
#else
#define TG_LIKELY(x) (x)
#define TG_OUT_OF_LINE
#endif

/* At entry: arguments, owning thread, state. */
#define TG_REQUIRE(condition)                                                                      \
    (TG_LIKELY(condition) ? (void)0                                                                \
                          : tg_assert_failed("requirement", #condition, __FILE__, __LINE__))

/* A place that only a bug of ours can reach; `text` says what it means. Does not return. */
#define TG_UNREACHABLE(text) tg_assert_failed("unreachable", text, __FILE__, __LINE__)

/* Before return: what this function promised. */
#define TG_ENSURE(condition)                                                                       \
    (TG_LIKELY(condition) ? (void)0 : tg_assert_failed("promise", #condition, __FILE__, __LINE__))

#endif

/* SPDX-License-Identifier: MIT
 * See address_world.h. */
#include "address_world.h"

#include <stdalign.h>
#include <string.h>

static alignas(64) uint64_t memory[WORDS];

struct tg_address_table table;
_Atomic uint64_t *const words = (void *)memory;

void set_up(uint32_t limit)
{
    assert_int_equal(tg_address_table_bytes(CONNECTIONS, limit), sizeof(memory));
    memset(memory, 0, sizeof(memory));
    assert_int_equal(tg_address_table_init(&table, memory, CONNECTIONS, limit), 0);
}

struct throng_address ipv4(uint32_t number)
{
    struct throng_address address = {.family = THRONG_ADDRESS_IPV4, .port = 1};
    memcpy(address.bytes, &number, sizeof(number));
    return address;
}

enum tg_address_answer enter(struct throng_address address, uint32_t *place)
{
    return tg_address_table_enter(&table, &address, place);
}

uint32_t entered(struct throng_address address)
{
    uint32_t place = 0;
    assert_int_equal(enter(address, &place), TG_ADDRESS_COUNTED);
    assert_int_not_equal(place, TG_ADDRESS_UNCOUNTED);
    return place;
}

void expect_refused(struct throng_address address)
{
    uint32_t place = 77;
    assert_int_equal(enter(address, &place), TG_ADDRESS_REFUSED);
    assert_int_equal(place, TG_ADDRESS_UNCOUNTED);
}

uint64_t count_all(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        sum += atomic_load(&words[i]) & COUNT_MASK;
    }
    return sum;
}

/* SPDX-License-Identifier: MIT
 * Texts of endpoints and addresses: what is read, what is refused and why, what is printed. */
#include "check.h"

#include <string.h>

#include "os/socket.h"

static void expect_endpoint(const char *text, const char *host, uint16_t port)
{
    char read_host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t read_port = 1;
    struct throng_error error;
    assert_int_equal(tg_endpoint_parse(text, read_host, &read_port, &error), 0);
    assert_string_equal(read_host, host);
    assert_int_equal(read_port, port);
}

static void endpoints_are_read(void **state)
{
    (void)state;
    expect_endpoint("tcp://127.0.0.1:7000", "127.0.0.1", 7000);
    expect_endpoint("tcp://localhost:0", "localhost", 0);
    expect_endpoint("tcp://*:65535", "*", 65535);
    expect_endpoint("tcp://a:80", "a", 80);
    expect_endpoint("tcp://Game:80", "Game", 80);
    expect_endpoint("tcp://[fe80::1%0123456789abcde]:80", "fe80::1%0123456789abcde", 80);
    expect_endpoint("tcp://[::1]:1", "::1", 1);
    expect_endpoint("tcp://[::]:80", "::", 80);
    expect_endpoint("tcp://[fe80::1%2]:80", "fe80::1%2", 80);
    expect_endpoint("tcp://[fe80::1%eth0]:80", "fe80::1%eth0", 80);
    expect_endpoint("tcp://[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1", 80);
    expect_endpoint("tcp://game-1.example_net.:443", "game-1.example_net.", 443);
}

static void bad_endpoints_are_refused_by_name(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } bad[] = {
        {"", "tcp://"},
        {"127.0.0.1:7000", "tcp://"},
        {"udp://127.0.0.1:7000", "tcp://"},
        {"TCP://127.0.0.1:7000", "tcp://"},
        {"tcp://", "no port"},
        {"tcp://host", "no port"},
        {"tcp://[::1]", "no port"},
        {"tcp://host:", "port"},
        {"tcp://host:65536", "port"},
        {"tcp://host:-1", "port"},
        {"tcp://host:+1", "port"},
        {"tcp://host: 80", "port"},
        {"tcp://host:80 ", "port"},
        {"tcp://host:080", "port"},
        {"tcp://host:99999999999999999999", "port"},
        {"tcp://:80", "no host"},
        {"tcp://ho st:80", "no host"},
        {"tcp://host/path:80", "no host"},
        {"tcp://**:80", "no host"},
        {"tcp://ho~st:80", "no host"},
        {"tcp://ho^st:80", "no host"},
        {"tcp://::1:80", "brackets"},
        {"tcp://[]:80", "brackets"},
        {"tcp://[:80", "brackets"},
        {"tcp://[127.0.0.1]:80", "brackets"},
        {"tcp://[::1]x:80", "brackets"},
        {"tcp://[::1%]:80", "brackets"},
        {"tcp://[::1%a%b]:80", "brackets"},
        {"tcp://[host]:80", "brackets"},
        {"tcp://[host%1]:80", "brackets"},
        {"tcp://[fe80::1%0123456789abcdef]:80", "brackets"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char host[TG_ENDPOINT_TEXT_SIZE] = "before";
        uint16_t port = 7;
        struct throng_error error = {0};
        assert_int_equal(tg_endpoint_parse(bad[i].text, host, &port, &error), THRONG_EINVAL);
        assert_int_equal(error.code, THRONG_EINVAL);
        assert_non_null(strstr(error.text, bad[i].text));
        if (strstr(error.text, bad[i].reason) == NULL) {
            fail_msg("\"%s\" is refused with: %s", bad[i].text, error.text);
        }
        assert_string_equal(host, "before");
        assert_int_equal(port, 7);
        assert_int_equal(tg_endpoint_parse(bad[i].text, host, &port, NULL), THRONG_EINVAL);
    }
}

static void a_host_name_has_at_most_253_bytes(void **state)
{
    char text[300] = "tcp://";
    char host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port;
    struct throng_error error;
    (void)state;
    memset(text + 6, 'a', 253);
    memcpy(text + 6 + 253, ":65535", 7);
    assert_int_equal(tg_endpoint_parse(text, host, &port, NULL), 0);
    assert_int_equal(strlen(host), 253);
    memcpy(text + 6 + 253, "a:65535", 8);
    assert_int_equal(tg_endpoint_parse(text, host, &port, &error), THRONG_EINVAL);
}

static void expect_text(const char *host, const char *text)
{
    struct throng_address address;
    char printed[THRONG_ADDRESS_TEXT_SIZE];
    if (tg_address_parse_numeric(host, 7000, &address) != 0) {
        fail_msg("%s is not read", host);
    }
    assert_ptr_equal(throng_address_text(&address, printed), printed);
    assert_string_equal(printed, text);
    /* What is printed is read again as the same endpoint. */
    char again[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port;
    struct throng_address second;
    assert_int_equal(tg_endpoint_parse(printed, again, &port, NULL), 0);
    assert_int_equal(tg_address_parse_numeric(again, port, &second), 0);
    assert_memory_equal(&address, &second, sizeof address);
}

static void addresses_are_printed_in_their_shortest_form(void **state)
{
    (void)state;
    expect_text("0.0.0.0", "tcp://0.0.0.0:7000");
    expect_text("255.1.20.3", "tcp://255.1.20.3:7000");
    expect_text("::", "tcp://[::]:7000");
    expect_text("0:0:0:0:0:0:0:0", "tcp://[::]:7000");
    expect_text("::1", "tcp://[::1]:7000");
    expect_text("1::", "tcp://[1::]:7000");
    expect_text("1:0:0:0:0:0:0:2", "tcp://[1::2]:7000");
    expect_text("2001:DB8::0001:0", "tcp://[2001:db8::1:0]:7000");
    /* RFC 5952, 4.2.2 and 4.2.3: no "::" for one group; the longer run, else the first. */
    expect_text("2001:db8:0:1:1:1:1:1", "tcp://[2001:db8:0:1:1:1:1:1]:7000");
    expect_text("2001:0:0:1:0:0:0:1", "tcp://[2001:0:0:1::1]:7000");
    expect_text("2001:db8:0:0:1:0:0:1", "tcp://[2001:db8::1:0:0:1]:7000");
    expect_text("::2:3:4:5:6:7:8", "tcp://[0:2:3:4:5:6:7:8]:7000");
    expect_text("1:2:3:4:5:6:7::", "tcp://[1:2:3:4:5:6:7:0]:7000");
    expect_text("::1.2.3.4", "tcp://[::102:304]:7000");
    expect_text("1:2:3:4:5:6:7.8.9.10", "tcp://[1:2:3:4:5:6:708:90a]:7000");
    expect_text("fe80::1%3", "tcp://[fe80::1%3]:7000");
    expect_text("fe80::1%4294967295", "tcp://[fe80::1%4294967295]:7000");
}

static void the_longest_text_fits(void **state)
{
    struct throng_address address = {
        .family = THRONG_ADDRESS_IPV6, .port = 65535, .scope_id = 4294967295u};
    char printed[THRONG_ADDRESS_TEXT_SIZE];
    (void)state;
    memset(address.bytes, 0xff, 16);
    assert_string_equal(throng_address_text(&address, printed),
                        "tcp://[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

static void an_empty_address_has_a_text_too(void **state)
{
    struct throng_address address = {0};
    char printed[THRONG_ADDRESS_TEXT_SIZE];
    (void)state;
    assert_string_equal(throng_address_text(&address, printed), "tcp://?");
}

static void bad_addresses_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.04",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "1.2.3.4 ",
        "0x1.2.3.4",
        "1.2.3.-4",
        ":",
        ":::",
        "1:",
        ":1",
        "1:2",
        "1:2:3:4:5:6:7",
        "12345::",
        "1::2::3",
        "::g",
        "::1%",
        "::1%x",
        "::1%4294967296",
        "::1%-1",
        "1.2.3.4%1",
        "1.2.3.4::",
        "::1.2.3",
        "::1.2.3.4.5",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:6:7:8:",
        "localhost",
        "*",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct throng_address address = {.port = 7};
        if (tg_address_parse_numeric(bad[i], 1, &address) != THRONG_EINVAL) {
            fail_msg("\"%s\" is read as an address", bad[i]);
        }
        assert_int_equal(address.port, 7);
        assert_int_equal(address.family, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_are_read),
        cmocka_unit_test(bad_endpoints_are_refused_by_name),
        cmocka_unit_test(a_host_name_has_at_most_253_bytes),
        cmocka_unit_test(addresses_are_printed_in_their_shortest_form),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(an_empty_address_has_a_text_too),
        cmocka_unit_test(bad_addresses_are_refused),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}

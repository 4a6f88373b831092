/* SPDX-License-Identifier: MIT
 * One buffer ready for everybody, on Asio: see tick.h. A non-blocking write_some of the same bytes to each
 * connection: the load has read all of the last tick, so there is room.
 *
 *     asio_tick CONNECTIONS MESSAGES SIZE */
#include <array>
#include <asio.hpp>
#include <csignal>
#include <cstdio>
#include <vector>

#include "echo_server.h"
#include "tick.h"

namespace
{

using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;
using tcp_acceptor = asio::basic_socket_acceptor<asio::ip::tcp, executor>;

struct tick tick_;
std::vector<tcp_socket> conns;
std::array<char, TICK_FRAME_BYTES_MAX> input;
std::uint64_t sent;
std::size_t asked; /* bytes of questions that wait for their tick */

void run_tick()
{
    tick_next(&tick_);
    const auto buffer = asio::buffer(tick_.bytes, tick_.messages * tick_.frame);
    for (auto &conn : conns) {
        if (conn.write_some(buffer) != buffer.size()) {
            echo_give_up("write_some");
        }
    }
    sent += static_cast<std::uint64_t>(tick_.connections) * tick_.messages;
}

void read(tcp_socket &conn)
{
    conn.async_read_some(asio::buffer(input), [&conn](const asio::error_code &error,
                                                      std::size_t got) {
        if (error) {
            return; /* the load has ended */
        }
        asked += got;
        for (; conns.size() == tick_.connections && asked >= tick_.frame; asked -= tick_.frame) {
            run_tick();
        }
        read(conn);
    });
}

void accept(tcp_acceptor &acceptor)
{
    acceptor.async_accept([&acceptor](const asio::error_code &error, tcp_socket socket) {
        if (!error && conns.size() < tick_.connections) {
            socket.non_blocking(true);
            conns.push_back(std::move(socket)); /* in reserved memory: it never moves */
            read(conns.back());
        }
        accept(acceptor);
    });
}

} // namespace

/* What is thrown ends the process, with its text. NOLINTNEXTLINE(bugprone-exception-escape) */
int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)std::fprintf(stderr, "usage: asio_tick CONNECTIONS MESSAGES SIZE\n");
        return 2;
    }
    tick_create(&tick_, argv[1], argv[2], argv[3]);
    conns.reserve(tick_.connections);
    asio::io_context context(1); /* one thread */
    const int descriptor = echo_listen(1, argv);
    tcp_acceptor acceptor(context, asio::ip::tcp::v4(), descriptor);
    asio::signal_set signals(context, SIGTERM);
    signals.async_wait([&context](const asio::error_code &, int) { context.stop(); });
    accept(acceptor);
    echo_announce(descriptor);
    context.run();
    tick_print_counts(&tick_, conns.size(), sent);
    conns.clear(); /* before the context that they belong to */
    return 0;
}

/* SPDX-License-Identifier: MIT
 * The echo server on Asio, after its own examples: a session that keeps itself alive, reads some,
 * writes the whole frames back, reads on. The buffer of a session begins small and doubles when a
 * read fills it. The executor is named in the types, which spares Asio its type-erased one. */
#include <asio.hpp>
#include <csignal>
#include <cstring>
#include <memory>
#include <vector>

#include "echo_server.h"
#include "frames.h"

namespace
{

using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;
using tcp_acceptor = asio::basic_socket_acceptor<asio::ip::tcp, executor>;

constexpr std::size_t first_bytes = 1024;
constexpr std::size_t most_bytes = 2 * FRAME_MAX;

echo_counts counts;

class session : public std::enable_shared_from_this<session>
{
  public:
    explicit session(tcp_socket socket) : socket_(std::move(socket)), input_(first_bytes)
    {
    }

    void read()
    {
        auto self = shared_from_this();
        socket_.async_read_some(asio::buffer(input_.data() + have_, input_.size() - have_),
                                [self](const asio::error_code &error, std::size_t got) {
                                    if (!error) {
                                        self->on_read(got);
                                    }
                                });
    }

  private:
    void on_read(std::size_t got)
    {
        have_ += got;
        const std::ptrdiff_t whole = frames_whole(input_.data(), have_, &counts.messages);
        if (whole < 0) {
            return; /* nobody waits for anything any more: the session ends */
        }
        if (whole == 0) {
            read_on(0);
        } else {
            write(static_cast<std::size_t>(whole));
        }
    }

    void write(std::size_t whole)
    {
        auto self = shared_from_this();
        asio::async_write(socket_, asio::buffer(input_.data(), whole),
                          [self, whole](const asio::error_code &error, std::size_t) {
                              if (!error) {
                                  self->read_on(whole);
                              }
                          });
    }

    /* The first `used` bytes are done with. */
    void read_on(std::size_t used)
    {
        const bool was_full = have_ == input_.size();
        have_ -= used;
        std::memmove(input_.data(), input_.data() + used, have_);
        if (was_full && input_.size() < most_bytes) {
            input_.resize(std::min(2 * input_.size(), most_bytes));
        }
        read();
    }

    tcp_socket socket_;
    std::vector<std::uint8_t> input_;
    std::size_t have_ = 0;
};

void accept(tcp_acceptor &acceptor)
{
    acceptor.async_accept([&acceptor](const asio::error_code &error, tcp_socket socket) {
        if (!error) {
            counts.accepted++;
            std::make_shared<session>(std::move(socket))->read();
        }
        if (acceptor.is_open()) {
            accept(acceptor);
        }
    });
}

} // namespace

/* What is thrown ends the process, with its text. NOLINTNEXTLINE(bugprone-exception-escape) */
int main(int argc, char **argv)
{
    asio::io_context context(1); /* one thread */
    const int descriptor = echo_listen(argc, argv);
    tcp_acceptor acceptor(context, asio::ip::tcp::v4(), descriptor);
    asio::signal_set signals(context, SIGTERM);
    signals.async_wait([&context](const asio::error_code &, int) { context.stop(); });
    accept(acceptor);
    echo_announce(descriptor);
    context.run();
    echo_print_counts(&counts);
    return 0;
}

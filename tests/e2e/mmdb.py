#!/usr/bin/python3
"""Writes MaxMind DB files (https://maxmind.github.io/MaxMind-DB/, version 2.0)
that tell the country of an address, in both layouts that are in the wild.

As a program: mmdb.py [--flat] FILE writes the networks of COUNTRIES.
"""

import argparse
import ipaddress
import os
import time

# Real networks, by the registries' records, of well-known holders.
COUNTRIES = {
    "DE": ["141.0.0.0/16", "78.46.0.0/15", "2a01:4f8::/32", "2001:638::/32"],
    "AT": ["131.130.0.0/16", "2001:628::/32"],
    "CH": ["129.132.0.0/16", "2001:620::/32"],
    "FR": ["129.199.0.0/16", "2001:660::/32"],
    "US": ["18.0.0.0/10", "2001:468::/32"],
    "CA": ["128.100.0.0/16", "2001:410::/32"],
    "JP": ["133.11.0.0/16", "2001:200::/32"],
    "BR": ["143.106.0.0/16", "2001:12f0::/32"],
}

# Addresses in those networks, for tests.
CLIENTS = {
    "DE": ("78.46.5.205", "2a01:4f8:1:2::3"),
    "AT": ("131.130.1.11", "2001:628:1::1"),
    "CH": ("129.132.19.216", "2001:620:8::1"),
    "FR": ("129.199.1.1", "2001:660:3::1"),
    "US": ("18.9.22.69", "2001:468:1::1"),
    "CA": ("128.100.166.54", "2001:410:1::1"),
    "JP": ("133.11.0.1", "2001:200:1::1"),
    "BR": ("143.106.10.1", "2001:12f0:1::1"),
    "unknown": ("203.0.113.5", "2a0f:ffff::5"),
}

METADATA_MARKER = b"\xab\xcd\xefMaxMind.com"
DATA_SEPARATOR = bytes(16)

STRING, DOUBLE, BYTES, UINT16, UINT32, MAP, INT32, UINT64, UINT128, ARRAY = range(2, 12)


def _control(kind, size):
    """A field's control byte, extended type and size: all fit 284 bytes here."""
    first, extra = (size, b"") if size < 29 else (29, bytes([size - 29]))
    if kind <= 7:
        return bytes([kind << 5 | first]) + extra
    return bytes([first, kind - 7]) + extra


def _integer(kind, value):
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(data)) + data


def _encode(value):
    if isinstance(value, str):
        data = value.encode()
        return _control(STRING, len(data)) + data
    if isinstance(value, dict):
        pairs = b"".join(_encode(key) + _encode(item) for key, item in value.items())
        return _control(MAP, len(value)) + pairs
    if isinstance(value, list):
        return _control(ARRAY, len(value)) + b"".join(_encode(item) for item in value)
    kind, number = value
    return _integer(kind, number)


def nested_record(country):
    """As in GeoLite2-Country, GeoIP2-Country, GeoLite2-City and DB-IP Lite."""
    return {
        "continent": {"code": "EU", "names": {"en": "Europe"}},
        "country": {"geoname_id": (UINT32, 1000000), "iso_code": country, "names": {"en": country}},
        "registered_country": {"iso_code": "AQ"},
    }


def flat_record(country):
    """As in the @ip-location-db packages."""
    return {"country_code": country}


class _Tree:
    """The search tree: a node is a pair of records, each None (empty), the
    index of a node, or a country."""

    def __init__(self):
        self.nodes = [[None, None]]

    def insert(self, network, country):
        prefix = int(network.network_address)
        length = network.prefixlen
        if network.version == 4:
            length += 96  # IPv4 lies at ::/96
        node = 0
        for depth in range(length - 1):
            bit = prefix >> (127 - depth) & 1
            child = self.nodes[node][bit]
            if isinstance(child, str):  # a smaller network inside a larger one
                self.nodes.append([child, child])
                child = self.nodes[node][bit] = len(self.nodes) - 1
            elif child is None:
                self.nodes.append([None, None])
                child = self.nodes[node][bit] = len(self.nodes) - 1
            node = child
        self.nodes[node][prefix >> (128 - length) & 1] = country


def build(countries=None, flat=False, built=None):
    """The bytes of a database. countries: {"DE": ["192.0.2.0/24", ...], ...};
    of networks that overlap, the smaller one must come later. built: its build
    time, in seconds since 1970."""
    tree = _Tree()
    countries = COUNTRIES if countries is None else countries
    for country, networks in countries.items():
        for network in networks:
            tree.insert(ipaddress.ip_network(network), country)

    record = flat_record if flat else nested_record
    data = b""
    offsets = {}
    for country in countries:
        offsets[country] = len(data)
        data += _encode(record(country))

    count = len(tree.nodes)
    search_tree = bytearray()
    for node in tree.nodes:
        for child in node:
            if child is None:
                child = count
            elif isinstance(child, str):
                child = count + len(DATA_SEPARATOR) + offsets[child]
            search_tree += child.to_bytes(4, "big")

    metadata = {
        "node_count": (UINT32, count),
        "record_size": (UINT16, 32),
        "ip_version": (UINT16, 6),
        "database_type": "Test-Country",
        "languages": ["en"],
        "binary_format_major_version": (UINT16, 2),
        "binary_format_minor_version": (UINT16, 0),
        "build_epoch": (UINT64, int(time.time() if built is None else built)),
        "description": {"en": "Some networks of some countries, for Portcullis"},
    }
    return bytes(search_tree) + DATA_SEPARATOR + data + METADATA_MARKER + _encode(metadata)


def write(path, countries=None, flat=False, built=None):
    """Writes a database, replacing the file by rename as geoipupdate does."""
    temporary = f"{path}.new"
    with open(temporary, "wb") as file:
        file.write(build(countries, flat, built))
    os.replace(temporary, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes a small country database.")
    parser.add_argument("--flat", action="store_true", help="country_code at the top")
    parser.add_argument("file")
    arguments = parser.parse_args()
    write(arguments.file, flat=arguments.flat)

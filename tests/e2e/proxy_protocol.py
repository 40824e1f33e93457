"""The PROXY protocol's header (https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt)."""

import ipaddress
import struct


def header(version, client, server, client_port=51234):
    """What a proxy sends in front of a connection. client is an address,
    server an address and a port."""
    server_address, server_port = server
    source = ipaddress.ip_address(client)
    destination = ipaddress.ip_address(server_address)
    assert source.version == destination.version
    if version == 1:
        family = "TCP4" if source.version == 4 else "TCP6"
        return f"PROXY {family} {source} {destination} {client_port} {server_port}\r\n".encode()
    addresses = source.packed + destination.packed + struct.pack("!HH", client_port, server_port)
    family = 0x11 if source.version == 4 else 0x21
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", 0x21, family, len(addresses)) + addresses

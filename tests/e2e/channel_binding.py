"""Channel bindings (RFC 5056): what a login may name to prove that it is meant for
the TLS connection that it comes by, and for no other."""

import hashlib
import hmac
import ssl

# Python can name "tls-unique" (RFC 5929), which TLS 1.3 does not have, but not
# "tls-exporter" (RFC 9266), which takes its place.
TYPES = ("tls-unique", "tls-exporter")


def prepare(context, binding_type, key_log):
    """Before the handshake. key_log: a file that does not exist yet, for the one
    connection that is to be made with the context."""
    if binding_type == "tls-unique":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.keylog_filename = key_log


def data(connection, binding_type, key_log):
    """After it."""
    if binding_type == "tls-unique":
        return connection.get_channel_binding("tls-unique")
    for line in key_log.read_text().splitlines():
        if line.startswith("EXPORTER_SECRET "):
            secret = bytes.fromhex(line.split()[2])
    cipher = connection.cipher()[0]
    digest = "sha384" if cipher.endswith("SHA384") else "sha256"
    return _export(secret, digest, b"EXPORTER-Channel-Binding", 32)


def _export(secret, digest, label, size):
    """RFC 8446, section 7.5, with an empty context."""
    nothing = hashlib.new(digest).digest()
    derived = _expand_label(secret, digest, label, nothing, len(nothing))
    return _expand_label(derived, digest, b"exporter", nothing, size)


def _expand_label(secret, digest, label, context, size):
    """HKDF-Expand-Label (section 7.1), as far as one block of the hash goes."""
    label = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\1", digest)[:size]

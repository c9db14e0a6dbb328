"""Which addresses may be fetched."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

from publisher.sentences import words


class AddressError(Exception):
    """An address that must not be, or cannot be, fetched."""


async def public_address(url: str, *, allow_private: bool) -> tuple[str, str]:
    """(host, address to connect to) for `url`: the host resolved once, every answer checked.

    Connecting to the returned address, rather than to the name again, leaves a name server no
    second answer to give. Raises AddressError for another scheme than http(s), a name that does
    not resolve, and, unless `allow_private`, an address that is not a public one.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise AddressError(words("{url!r}: only http and https addresses are fetched", url=url))
    if not parts.hostname:
        raise AddressError(words("{url!r}: the address has no host", url=url))
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(
            parts.hostname, port, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError, ValueError) as error:
        raise AddressError(
            words("{host}: the name does not resolve ({why})", host=parts.hostname, why=error)
        ) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses:
        raise AddressError(words("{host}: the name does not resolve", host=parts.hostname))
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                raise AddressError(
                    words(
                        "{host} is at {address}, inside a private network; not fetched",
                        host=parts.hostname,
                        address=address,
                    )
                )
    return parts.hostname, addresses[0]


def is_public(address: str) -> bool:
    """Whether `address` is on the public internet (also inside IPv4-in-IPv6 forms)."""
    parsed = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo and parsed.teredo[1])
        if inner:
            return is_public(str(inner))
        if parsed in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)))
    return parsed.is_global and not parsed.is_multicast

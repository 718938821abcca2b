"""Connections of `requests` that refuse to speak to a private network.

A shop's address comes from whoever connects it, and our functions may stand in a network of their owner. The address
is looked at once the connection stands and before anything is sent, so a name that changes its address between the
look-up and the call (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# IPv4 in the last 32 bits: a subnet's NAT64 leads there (RFC 6052 §2.1), and once systems did (RFC 4291 §2.5.5.1).
_WITH_IPV4 = tuple(map(ip_network, ("64:ff9b::/96", "::/96")))
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")  # RFC 8215: wherever in it the IPv4 address is


class PrivateAddress(Exception):
    """The name leads to an address that is not of the public internet."""


class PublicAddressesOnly(HTTPAdapter):
    """Mount it for `http://` and `https://`. Raises `PrivateAddress` from the request."""

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        super().init_poolmanager(*args, **settings)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


def is_public(address: str) -> bool:
    """Of the internet at large, an IPv4 address inside an IPv6 one included."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _LOCAL_NAT64:
            return False
        if any(found in network for network in _WITH_IPV4):
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return found.is_global and not found.is_multicast


def _only_public(connected: socket.socket) -> socket.socket:
    if is_public(connected.getpeername()[0]):
        return connected
    connected.close()
    raise PrivateAddress


class _HttpConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _only_public(super()._new_conn())


class _HttpsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _only_public(super()._new_conn())


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection

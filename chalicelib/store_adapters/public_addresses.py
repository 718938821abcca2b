"""Connections of `requests` that refuse to speak to a private network.

A shop's address comes from whoever connects it, and our functions may stand in a network of their owner. The address
is looked at once the connection stands and before anything is sent, so a name that changes its address between the
look-up and the call (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


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

"""Where a request comes from: the connection, or what a proxy says of it (`CLIENT_ADDRESS_HEADER`)."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The address of who asks.

    Of a header with several the last one counts: the nearest proxy added it itself.
    """
    if settings.CLIENT_ADDRESS_HEADER:
        said = request.headers.get(settings.CLIENT_ADDRESS_HEADER, "").rpartition(",")[2].strip()
        if _is_address(said):
            return str(ip_address(said))
    return str(request.META.get("REMOTE_ADDR", ""))


def network_of(request: HttpRequest) -> str | None:
    """What limits count by: the address, or the network that one household has of the longer ones."""
    address = address_of(request)
    if not _is_address(address):
        return None
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network(f"{address}/64", strict=False).network_address)
    return address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text

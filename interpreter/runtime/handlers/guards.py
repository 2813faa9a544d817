"""What tasks may reach: a person's own file may reach everything, a server's definitions less."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

#: In place of names: any program.
ANY = "*"

#: The error of a task that may not do what it asks for.
PERMISSIONS = "States.Permissions"

#: IPv6 addresses that carry an IPv4 address in their last 32 bits (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Guards:
    """``exec:`` tasks start ``programs``, named as in the definition, or :data:`ANY`; ``http(s)://`` tasks connect to
    link-local and private addresses."""

    programs: frozenset[str] = frozenset()
    link_local: bool = False
    private: bool = False

    def starts(self, program: str) -> bool:
        """Whether a task may start a program."""
        return program in self.programs or ANY in self.programs

    def refusal(self, address: str) -> str | None:
        """Why a task may not connect to an IP address; None if it may. Raises ValueError if it is none."""
        actual = _carried(ip_address(address.partition("%")[0]))
        if actual.is_link_local and not self.link_local:
            return f"{address} is a link-local address, which this server keeps tasks from"
        if (not actual.is_global or actual.is_multicast) and not self.private and not actual.is_link_local:
            return f"{address} is a private address, which this server keeps tasks from"
        return None


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 address, where there is one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


#: ``run`` of one's own file.
EVERYTHING = Guards(programs=frozenset({ANY}), link_local=True, private=True)
#: Definitions that come from elsewhere.
PUBLIC_ONLY = Guards()

"""The address of a client that calls through proxies."""


def client_address(peer: str, forwarded: str, proxies: int) -> str:
    """Return the address that the outermost of `proxies` trusted proxies saw.

    `peer` is the address of the connection, `forwarded` the value of X-Forwarded-For, to which each
    proxy appends the address of its caller. Earlier entries are the client's own claim.
    """
    if not proxies:
        return peer
    addresses = forwarded.split(",")
    return addresses[-proxies].strip() if forwarded and proxies <= len(addresses) else peer

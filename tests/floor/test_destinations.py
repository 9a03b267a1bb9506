"""No spelling of a URL that could reach the inside is stored."""

import ipaddress

import pytest

from ordermgmt.http import destinations
from ordermgmt.http.destinations import BadDestination

NO_URLS = [
    "",
    "example.com",
    "//example.com",
    "ftp://example.com",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_",
    "javascript:alert(1)",
    "http://example.com/",
    "https://",
    "https:",
    "https://u:p@example.com/",
    "https://u@example.com",
    "https://@example.com",
    "https://example.com/#x",
    "https://example.com/?q=1",
    "https://example.com?",
    "https://example.com#",
    *(
        f"https://example.com:{port}/"
        for port in ("0", "22", "25", "80", "6379", "99999", "-1", "x", "")
    ),
    "https://exam\tple.com/",
    "https://example.com/\n",
    " https://example.com",
    "https://exam ple.com",
    "https://good\\@127.0.0.1/",
    "https://example.com/" + "x" * 3000,
    "https://exämple.com/",
    "https://example。com/",
    "https://a" + "b" * 63 + ".com/",
    "https://-a.com/",
    "https://a-.com/",
    "https://a_b.com/",
    "https://example.com./",
    "https://.example.com/",
    "https://example..com/",
    "https://[::1/",
    "https://[v1.x]/",
    "https://[example.com]/",
]
INSIDE = """
    127.0.0.1 127.1 0 0x7f000001 0x7f.1 2130706433 0177.0.0.1 ①②⑦.0.0.1 localhost LOCALHOST
    localhost. a.localhost db.internal printer.local router.lan intranet [::1] [::]
    [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] 10.0.0.1 172.16.0.1 172.31.255.255
    192.168.0.1 169.254.169.254 [fd00:ec2::254] 100.64.0.1 0.0.0.0 192.0.0.1 192.0.0.8 192.0.2.1
    192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255
    [64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::1] [2002:7f00:1::] [2001:0:53aa:64c::]
    [fe80::1%25eth0] [fe80::1] [fec0::1] [ff02::1] [100::1] [5f00::1] [2001:db8::1] [3fff::1]
""".split()  # noqa: SIM905 -- read as a list, diffed as a table
OUTSIDE = """
    100.63.255.254 100.128.0.1 172.15.255.255 172.32.0.1 8.8.8.8 [2606:4700:4700::1111]
    [64:ff9b::808:808] [::ffff:8.8.8.8] example.com EXAMPLE.com xn--exmple-cua.com a.b.c.example
    localhost.example.com
""".split()  # noqa: SIM905 -- read as a list, diffed as a table


@pytest.mark.parametrize("url", NO_URLS)
def test_a_bad_url_is_refused(url):
    with pytest.raises(BadDestination):
        destinations.check_url(url, allows_http=False)


@pytest.mark.parametrize("host", INSIDE)
@pytest.mark.parametrize("allows_http", [False, True])
def test_a_host_inside_is_refused_in_every_spelling(host, allows_http):
    with pytest.raises(BadDestination):
        destinations.check_url(f"https://{host}/", allows_http=allows_http)


@pytest.mark.parametrize("host", OUTSIDE)
@pytest.mark.parametrize("port", ["", ":443", ":8443"])
def test_its_neighbors_outside_are_allowed(host, port):
    assert destinations.check_url(f"https://{host}{port}/base/", allows_http=False).path == "/base/"


def test_plain_http_needs_the_switch():
    destinations.check_url("http://example.com:8080/", allows_http=True)
    with pytest.raises(BadDestination, match="https"):
        destinations.check_url("http://example.com:8080/", allows_http=False)
    with pytest.raises(BadDestination, match="port"):
        destinations.check_url("http://example.com:443/", allows_http=True)


def test_a_trusted_host_is_allowed_as_it_stands(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1:9000"]

    destinations.check_url("http://127.0.0.1:9000/", allows_http=True)
    for url in ("http://127.0.0.1:9001/", "http://127.0.0.1/", "http://u@127.0.0.1:9000/"):
        with pytest.raises(BadDestination):
            destinations.check_url(url, allows_http=True)


@pytest.mark.parametrize("host", [host for host in INSIDE if host.count(".") == 3 or "::" in host])
def test_the_address_itself_is_not_public(host):
    try:
        address = ipaddress.ip_address(host.strip("[]").replace("%25", "%"))
    except ValueError:
        return  # a spelling of resolvers only; refused as a name above
    assert not destinations.is_public(address)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.com/", "https://a.com:443/x"),
        ("https://A.com/", "https://a.com/"),
    ],
)
def test_the_same_origin_is_the_same(one, other):
    assert destinations.origin(one) == destinations.origin(other)


@pytest.mark.parametrize("other", ["https://b.com/", "https://a.com:8443/", "http://a.com/"])
def test_another_origin_is_another(other):
    assert destinations.origin("https://a.com/") != destinations.origin(other)

"""Limits of incoming bodies: a deadline, a size and a number per client."""

from ordermgmt.http.addresses import client_address
from ordermgmt.http.bodies import Bodies, Body


class NumberedBody(Body):
    """A body that adds its number to a list when it is given up."""

    def __init__(self, peer: str, number: int, given_up: list[int]) -> None:
        super().__init__(peer)
        self.number, self.numbers = number, given_up

    def give_up(self) -> None:
        self.numbers.append(self.number)


class Sender:
    """Somebody who begins bodies; notes which of them were given up."""

    def __init__(self, bodies: Bodies, peer: str = "192.0.2.1") -> None:
        self.bodies, self.peer = bodies, peer
        self.given_up: list[int] = []
        self._begun = 0

    def begin(self) -> Body:
        body = NumberedBody(self.peer, self._begun, self.given_up)
        self._begun += 1
        self.bodies.begin(body)
        return body


def test_a_client_with_too_many_loses_its_oldest_and_nobody_else_any() -> None:
    bodies = Bodies(per_peer=2)
    greedy, other = Sender(bodies), Sender(bodies, "192.0.2.2")
    other.begin()

    for _ in range(4):
        greedy.begin()

    assert greedy.given_up == [0, 1]
    assert other.given_up == []
    assert len(bodies) == 3


def test_without_a_cap_nobody_loses_any() -> None:
    sender = Sender(Bodies(per_peer=0))

    for _ in range(500):
        sender.begin()

    assert sender.given_up == []


def test_what_has_ended_counts_no_more() -> None:
    bodies = Bodies(per_peer=1)
    sender = Sender(bodies)

    for _ in range(3):
        body = sender.begin()
        assert bodies.add(body, b"1234")
        assert bodies.end(body)

    assert sender.given_up == []
    assert (len(bodies), bodies.size) == (0, 0)


def test_what_takes_too_long_is_given_up_once() -> None:
    bodies = Bodies(per_peer=0, patience=0)
    sender = Sender(bodies)
    body = sender.begin()

    bodies.give_up_overdue()
    bodies.give_up_overdue()

    assert sender.given_up == [0]
    assert not bodies.add(body, b"late")
    assert not bodies.end(body)


def test_what_has_time_left_is_not_given_up() -> None:
    bodies = Bodies(per_peer=0, patience=60)
    sender = Sender(bodies)
    sender.begin()

    bodies.give_up_overdue()

    assert sender.given_up == []


def test_all_together_take_so_much_memory_and_no_more() -> None:
    bodies = Bodies(per_peer=0, buffered=10)
    first, second = Sender(bodies), Sender(bodies, "192.0.2.2")
    bodies.add(first.begin(), b"123456")

    assert bodies.add(second.begin(), b"123456")

    assert (first.given_up, second.given_up) == ([0], [])
    assert bodies.size == 6


def test_a_client_is_who_the_outermost_trusted_proxy_saw() -> None:
    assert client_address("10.0.0.1", "192.0.2.7", 0) == "10.0.0.1"
    assert client_address("10.0.0.1", "203.0.113.9, 192.0.2.7", 1) == "192.0.2.7"
    assert client_address("10.0.0.1", "203.0.113.9, 192.0.2.7, 10.0.0.2", 2) == "192.0.2.7"
    assert client_address("10.0.0.1", "192.0.2.7", 2) == "10.0.0.1"
    assert client_address("10.0.0.1", "", 1) == "10.0.0.1"

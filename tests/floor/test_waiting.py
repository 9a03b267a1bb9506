"""Requests that wait leave their slots to others, within the limit of waits."""

import threading
import time
from contextlib import ExitStack

import pytest
from django.db import connection, connections, transaction

from ordermgmt.http import outbound_waits, request_slots
from ordermgmt.http.outbound_waits import (
    OUTBOUND_WAITS,
    AllAreWaiting,
    StreamedBody,
    release_while_waiting,
)
from ordermgmt.http.request_slots import REQUEST_SLOTS, request_slot
from tests.floor.test_database import end_session


@pytest.fixture(autouse=True)
def no_database(monkeypatch):
    """Replace the connection, which a wait closes and most of these tests lack."""
    monkeypatch.setattr(outbound_waits, "connection", NoConnection())


class NoConnection:
    in_atomic_block = False
    closed = 0

    def close(self):
        self.closed += 1


def waiting_of(tenants, stack):
    """Return the number of waits that each tenant gets, in this order, when it takes all it can."""
    numbers = []
    for tenant in tenants:
        numbers.append(0)
        try:
            while True:
                stack.enter_context(release_while_waiting(tenant))
                numbers[-1] += 1
        except AllAreWaiting:
            continue
    return numbers


def test_a_tenant_alone_gets_half_of_the_places_and_the_next_always_some():
    with ExitStack() as stack:
        numbers = waiting_of([1, 2, 3, 4], stack)

    assert numbers == [6, 3, 2, 1]
    assert sum(numbers) == OUTBOUND_WAITS


def test_places_are_free_again_afterwards_whatever_happened():
    for _ in range(2 * OUTBOUND_WAITS):
        with pytest.raises(OSError, match="gone"), release_while_waiting(1):
            raise OSError("gone")

    with ExitStack() as stack:
        assert waiting_of([1], stack) == [6]


def test_an_answer_that_is_sent_to_a_slow_reader_has_a_place_until_it_ends():
    ended = []

    def pieces():
        try:
            yield from "abc"
        finally:
            ended.append(True)

    answer = StreamedBody(1, pieces())
    assert next(iter(answer)) == "a"
    with ExitStack() as stack:
        assert waiting_of([1], stack) == [5]
        for _ in range(2):  # it ends once, however often that is said
            answer.close()
        assert ended == [True]
        assert waiting_of([1], stack) == [1]


def test_who_finds_no_place_is_told_when_to_come_back():
    with ExitStack() as stack:
        waiting_of([1], stack)

        with pytest.raises(AllAreWaiting) as refused:
            stack.enter_context(release_while_waiting(1))

    assert refused.value.facts["retry_after"] == 1


def test_the_connection_is_given_back_before_the_wait():
    with release_while_waiting(1):
        assert outbound_waits.connection.closed == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_in_a_transaction(monkeypatch):
    monkeypatch.setattr(outbound_waits, "connection", connection)
    with transaction.atomic():
        with (
            pytest.raises(RuntimeError, match="never asked in a transaction"),
            release_while_waiting(1),
        ):
            raise AssertionError("It waited.")
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")


class TestSlots:
    """Requests hold every slot; the tests are about those that wait."""

    def requests(self, number, work):
        threads = [threading.Thread(target=work, args=(n,)) for n in range(number)]
        for thread in threads:
            thread.start()
        return threads

    def test_as_many_work_at_once_as_there_are_slots(self):
        most, lock, now = [0], threading.Lock(), [0]
        all_here = threading.Barrier(REQUEST_SLOTS, timeout=5)

        def work(number):
            with request_slot():
                with lock:
                    now[0] += 1
                    most[0] = max(most[0], now[0])
                if number < REQUEST_SLOTS:
                    all_here.wait()  # passes only if they work at the same time
                with lock:
                    now[0] -= 1

        for thread in self.requests(REQUEST_SLOTS, work) + self.requests(
            REQUEST_SLOTS, lambda n: work(99)
        ):
            thread.join(10)

        assert most[0] == REQUEST_SLOTS

    def test_those_that_wait_leave_their_slots_to_others_and_get_one_back(self):
        answered, come_back = threading.Event(), []

        def wait(number):
            with request_slot():
                with release_while_waiting(number):
                    assert answered.wait(5)
                come_back.append(request_slots._own.slot is not None)

        slow = self.requests(REQUEST_SLOTS, wait)
        with request_slot():  # would block for ever if the slow ones kept theirs
            assert come_back == []
        answered.set()
        for thread in slow:
            thread.join(10)

        assert come_back == [True] * REQUEST_SLOTS
        assert len(request_slots._slots.free) == REQUEST_SLOTS

    def test_who_has_none_gives_none_away(self):
        with release_while_waiting(1):
            pass

        assert len(request_slots._slots.free) == REQUEST_SLOTS

    def test_who_comes_first_is_served_first(self):
        slots, served = request_slots.RequestSlots(1), []
        slot = slots.take()
        queue = []
        for number in range(5):
            queue.append(threading.Thread(target=lambda n=number: (slots.take(), served.append(n))))
            queue[-1].start()
            while len(slots._queue) < number + 1:
                time.sleep(0.001)

        for number in range(5):
            slots.leave(slot)
            queue[number].join(5)  # the slot was handed over and never free

        assert (served, slots.free) == ([0, 1, 2, 3, 4], [])


@pytest.mark.django_db(transaction=True)
class TestConnections:
    """Connections belong to slots."""

    @pytest.fixture(autouse=True)
    def slots(self, monkeypatch):
        slots = request_slots.RequestSlots(REQUEST_SLOTS)
        monkeypatch.setattr(request_slots, "_slots", slots)
        yield slots
        for slot in slots.free:
            slot._connection and slot._connection.close()

    def one_after_the_other(self, number, work):
        results = []
        for _ in range(number):
            thread = threading.Thread(target=lambda: results.append(work()))
            thread.start()
            thread.join(10)
        return results

    @staticmethod
    def session():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return cursor.fetchone()[0]

    def test_who_comes_later_uses_the_connection_of_who_was_there_before(self):
        def work():
            with request_slot():
                return self.session()

        assert len(set(self.one_after_the_other(5, work))) == 1

    def test_a_waiting_request_has_none_and_gets_one_back(self):
        def work():
            with request_slot():
                before = self.session()
                with release_while_waiting(1):
                    while_waiting = connections.all(initialized_only=True)
                return before, while_waiting, self.session()

        [(before, while_waiting, after)] = self.one_after_the_other(1, work)

        assert (while_waiting, after) == ([], before)

    def test_who_comes_back_finds_a_session_that_was_ended_meanwhile_replaced(self):
        def work():
            with request_slot():
                before = self.session()
                with release_while_waiting(1):
                    end_session(before)
                return before, self.session()

        [(before, after)] = self.one_after_the_other(1, work)

        assert before != after

    def test_what_an_answer_opened_that_was_streamed_later_is_closed_by_the_next_request(self):
        def work():
            with request_slot():
                pass
            own = connections["default"]
            own.ensure_connection()
            with request_slot():
                slot_session = self.session()
            return own.connection, slot_session

        [(own, slot_session)] = self.one_after_the_other(1, work)

        assert own is None
        assert slot_session

    def test_a_connection_that_was_cut_is_opened_anew_by_the_next_request(self):
        def work():
            with request_slot():
                return self.session()

        [first] = self.one_after_the_other(1, work)
        end_session(first)
        [second] = self.one_after_the_other(1, work)

        assert first != second

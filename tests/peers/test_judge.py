"""What a made-up truth log and a made-up tool's word come to."""

from __future__ import annotations

import pytest

from tests.peers.judge import judge

ADA, BEN, CLEO, DAN = (f"1555100000{number}" for number in range(4))
ALL = (ADA, BEN, CLEO, DAN)


def test_a_message_each_is_neither_twice_nor_lost():
    verdict = judge(ALL, dict.fromkeys(ALL, 1), sent=ALL)
    assert (verdict.recipients, verdict.received, verdict.most) == (4, 4, 1)
    assert (verdict.twice, verdict.lost, verdict.in_doubt, verdict.unaccounted) == (0, 0, 0, 0)


def test_people_are_counted_as_twice_and_not_their_messages():
    verdict = judge(ALL, {ADA: 2, BEN: 5, CLEO: 1, DAN: 1}, sent=ALL)
    assert (verdict.twice, verdict.most) == (2, 5)


def test_who_got_nothing_is_lost_only_if_the_tool_says_it_sent():
    verdict = judge(ALL, {ADA: 1}, sent=(ADA, BEN))
    assert (verdict.lost, verdict.unaccounted) == (1, 2)


def test_who_is_in_doubt_is_not_lost_whether_it_came_or_not():
    verdict = judge(ALL, {ADA: 1, BEN: 1}, sent=(ADA,), in_doubt=(BEN, CLEO))
    assert (verdict.in_doubt, verdict.lost, verdict.unaccounted) == (2, 0, 1)


def test_a_count_of_zero_is_no_message():
    verdict = judge(ALL, {ADA: 0, BEN: 1}, sent=(ADA, BEN))
    assert (verdict.received, verdict.lost) == (1, 1)


def test_who_got_it_without_the_tool_saying_so_is_not_unaccounted_for():
    verdict = judge(ALL, dict.fromkeys(ALL, 1), sent=())
    assert (verdict.received, verdict.unaccounted, verdict.lost) == (4, 0, 0)


def test_a_stranger_in_the_log_makes_the_measurement_void():
    with pytest.raises(ValueError, match="1 people are no recipients"):
        judge(ALL, {"15559999999": 1}, sent=())

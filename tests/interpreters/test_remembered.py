"""A memory that is bounded."""

from nasengine.interpreters.remembered import Remembered


def test_what_is_remembered_begins_anew_when_it_is_full() -> None:
    known = Remembered[int, int](3)
    for number in range(3):
        known[number] = 10 * number
    assert known == {0: 0, 1: 10, 2: 20}
    known[3] = 30
    assert known == {3: 30}


def test_however_much_comes_there_is_never_more_than_was_allowed() -> None:
    known, most = Remembered[int, int](7), 0
    for number in range(100):
        known[number] = number
        most = max(most, len(known))
        assert known[number] == number
    assert most == 7

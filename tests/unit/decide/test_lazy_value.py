"""Checks values of an object that are computed when they are first needed."""

from router.decide.waiting_contact import lazy_value


class Counted:
    def __init__(self) -> None:
        self.computed = 0

    @lazy_value
    def value(self) -> tuple[int, ...]:
        self.computed += 1
        return ()


def test_a_value_is_computed_once_for_each_object_and_only_when_it_is_needed():
    one, other = Counted(), Counted()
    assert one.computed == 0
    assert one.value == one.value == ()
    assert (one.computed, other.computed) == (1, 0)

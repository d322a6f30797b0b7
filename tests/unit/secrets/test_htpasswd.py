from __future__ import annotations

import pytest

from clients.registry_users import hashed, is_hash_of
from domain.secrets.htpasswd import hash_of, with_user, without

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("before", ["", "blue:one", "blue:one\n", "# people\nblue:one\n\n"])
def test_a_user_comes_and_goes_and_the_others_stay(before: str) -> None:
    both = with_user(before, "green", "two")

    assert (hash_of(both, "green"), hash_of(both, "blue")) == ("two", hash_of(before, "blue"))
    changed = with_user(both, "green", "three")
    assert [hash_of(changed, "green"), changed.count("green:")] == ["three", 1]
    assert hash_of(without(changed, "green"), "green") == ""
    assert hash_of(without(changed, "green"), "blue") == hash_of(before, "blue")


def test_a_file_that_has_no_such_user_is_left_as_it_is() -> None:
    assert without("# people\nblue:one", "green") == "# people\nblue:one"


def test_a_hash_is_of_its_password_alone() -> None:
    made = hashed("a word")

    assert made.startswith("$2b$")
    assert (is_hash_of(made, "a word"), is_hash_of(made, "another")) == (True, False)
    assert not is_hash_of("{SHA}nothing-of-bcrypt", "a word")

"""Made-up people look real and can be nobody."""

from random import Random

import pytest

from landing.sample import identity
from tests.oracle.links import normal_email, normal_phone

pytestmark = pytest.mark.unit


def test_identity_numbers_are_synthetic_with_right_check_digits() -> None:
    random = Random(1).random
    numbers = [identity.national_id(random) for _ in range(5_000)]
    assert all(identity.is_synthetic(number) for number in numbers)
    assert len(set(numbers)) > 4_900


@pytest.mark.parametrize(
    ("number", "synthetic"),
    [
        ("02924648166", True),
        ("02924648167", False),
        ("02124648166", False),
        ("0292464816", False),
        ("0292464816x", False),
    ],
    ids=["made here", "wrong check digit", "a real month", "too short", "no number"],
)
def test_a_number_that_could_be_somebodys_is_told_apart(number: str, synthetic: bool) -> None:
    assert identity.is_synthetic(number) is synthetic


def test_no_two_people_share_an_address_or_a_number() -> None:
    random = Random(2).random
    people = [identity.make_identity(person_id, random) for person_id in range(1, 60_000)]
    assert len({person.email for person in people}) == len(people)
    assert len({person.phone for person in people}) == len(people)


def test_phone_numbers_are_outside_the_norwegian_plan() -> None:
    random = Random(3).random
    for person_id in range(1, 5_000):
        phone = identity.make_identity(person_id, random).phone
        assert len(phone) == 8
        assert phone.startswith("1")
        assert phone[:3] not in ("110", "112", "113")


def test_every_spelling_leads_back_to_the_same_contact_point() -> None:
    random = Random(4).random
    spelled_phones, spelled_emails = set(), set()
    for _ in range(500):
        person = identity.make_identity(17, random)
        phone = identity.spell_phone(person.phone, random)
        email = identity.spell_email(person.email, random)
        assert normal_phone(phone) == f"47{person.phone}"
        assert normal_email(email) == person.email
        spelled_phones.add(phone)
        spelled_emails.add(email == person.email)
    assert len(spelled_phones) == 7
    assert spelled_emails == {True, False}


def test_account_numbers_have_a_wrong_check_digit() -> None:
    random = Random(5).random
    weights = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
    for _ in range(2_000):
        number = identity.account_number(random)
        right = -sum(int(d) * w for d, w in zip(number[:10], weights, strict=True)) % 11
        assert len(number) == 11
        assert int(number[10]) != right


def test_everything_on_the_net_is_reserved_for_documentation() -> None:
    random = Random(6).random
    for person_id in range(500):
        domain = identity.make_identity(person_id, random).email.partition("@")[2]
        assert domain in {"example.no", "example.com", "example.org"}
        address = identity.ip_address(random)
        assert address.startswith(("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8::"))

"""What follows from how many of a column's values look like what, and from its name.

Belongs here: from counts and names to kinds, with how sure that is. Does not belong here: counting
(`scan`, `sample`), and the vocabulary of names (`names`).

Chance is weighed: of random eleven-digit numbers one in eleven has a bank account's checksum, and of
account numbers one in twelve is a possible fødselsnummer. So a checksum speaks by its share among the
values of that shape, not by its count. Eight digits speak for a telephone only where the name does, or
where they begin as mobile numbers do and not as a sequence does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from retention.detection.model import Basis, Confidence, Detected
from retention.detection.names import is_about_things, is_of_holders, rule_for
from retention.detection.vocabulary import DATE, NUMBER, TEXT, NameRule

_NATIONAL = (
    "fodselsnummer",
    "d_number",
    "synthetic_tenor",
    "synthetic_nav_or_h_number",
    "fh_number",
    "national_id_10",
)
_TEXTS = ("text_email", "text_phone", "text_national_id", "text_account", "text_address")
_RANK = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True)
class Looks:
    """How many of a column's sampled values look like what: values and different values by mark, and of a
    document's fields by rule of names and mark."""

    values: Mapping[str, int] = field(default_factory=dict)
    different: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[tuple[NameRule | None, str], int] = field(default_factory=dict)

    @property
    def sampled(self) -> int:
        return sum(self.values.values())

    def of(self, *marks: str) -> int:
        return sum(self.values.get(mark, 0) for mark in marks)

    def kinds_of(self, *marks: str) -> int:
        """How many different values bear one of the marks."""
        return sum(self.different.get(mark, 0) for mark in marks)

    def share(self, *marks: str) -> float:
        return self.of(*marks) / self.sampled if self.sampled else 0.0


def judge(table: str, column: str, family: str, looks: Looks) -> tuple[Detected, ...]:
    """What the column seems to hold, the most likely first; each kind once."""
    rule = rule_for(table, column)
    if rule is not None and family not in rule.families:
        rule = None
    found = [*_by_value(column, rule, looks), *_by_name(table, rule, family, looks)]
    found += _by_words(table, rule, looks)
    found += _by_fields(looks)
    if looks.of("special") and looks.share("special") >= 0.05:
        found.append(Detected("special_category", "union", "medium", "value", looks.of("special")))
    first: dict[str, Detected] = {}
    for each in sorted(found, key=lambda each: (_RANK[each.confidence], -each.matched)):
        first.setdefault(each.kind, each)
    return tuple(first.values())


def _by_value(column: str, rule: NameRule | None, looks: Looks) -> list[Detected]:
    """Identifiers that their values give away."""
    named = rule.kind if rule else None
    found = []

    def add(kind: str, pattern: str, confidence: Confidence, matched: int) -> None:
        basis: Basis = "both" if named == kind else "value"
        found.append(
            Detected(kind, pattern, "high" if basis == "both" else confidence, basis, matched)
        )

    if emails := looks.of("email"):
        add("email", "email", "high" if looks.share("email") >= 0.05 else "medium", emails)
    national = looks.of(*_NATIONAL)
    elevens = national + looks.of("account", "digits_11", "digits_10", "phone_47")
    is_national = national >= 0.5 * elevens or (national >= 20 and national >= 0.3 * elevens)
    if national and is_national and named not in ("phone", "account_number"):
        pattern = max(_NATIONAL, key=lambda mark: looks.of(mark))
        pattern = "fodselsnummer" if pattern == "national_id_10" else pattern
        add(
            "national_id", pattern, "high" if looks.kinds_of(*_NATIONAL) > 1 else "medium", national
        )
    elif looks.of("account") and named not in ("phone", "national_id"):
        accounts = looks.of("account", *_NATIONAL)
        different = looks.kinds_of("account", *_NATIONAL)
        if accounts >= 0.8 * elevens and (different > 1 or named == "account_number"):
            add("account_number", "account_number", "high" if different > 2 else "medium", accounts)
    if grouped := looks.of("account_grouped"):
        add("account_number", "account_number", "high" if grouped > 1 else "medium", grouped)
    if ibans := looks.of("iban"):
        add("account_number", "iban", "high", ibans)
    cards, like_cards = looks.of("card"), looks.of("card", "digits_card")
    if cards and cards >= 0.8 * like_cards and named != "phone":
        add("account_number", "card", "high" if looks.kinds_of("card") > 1 else "medium", cards)
    if looks.share("card_masked") >= 0.5:
        add("account_number", "card_masked", "high", looks.of("card_masked"))
    addresses = looks.of("ipv4", "ipv6")
    if looks.share("ipv4", "ipv6") >= 0.5 and "version" not in column.lower():
        add("ip", "ipv6" if looks.of("ipv6") * 2 > addresses else "ipv4", "high", addresses)
    if looks.share("mac") >= 0.5:
        add("online_id", "mac", "high", looks.of("mac"))
    if phones := _phones(named, looks):
        add("phone", "phone", "high" if looks.of("phone") * 2 >= phones else "medium", phones)
    if looks.share("object_url") >= 0.5:
        add("object_pointer", "object_url", "medium", looks.of("object_url"))
    texts = looks.of(*_TEXTS)
    if texts and not looks.fields:
        pattern = max(_TEXTS, key=lambda mark: looks.of(mark)).removeprefix("text_")
        sure: Confidence = "high" if texts > 1 or pattern in ("email", "national_id") else "medium"
        add("free_text", pattern, sure, texts)
    return found


def _phones(named: str | None, looks: Looks) -> int:
    """How many values are telephone numbers, 0 where they are another kind of number."""
    if named == "phone":
        return looks.of(
            "phone", "phone_47", "phone_shaped", "mobile_4", "mobile_9", "landline", "digits_10"
        )
    if looks.share("phone") >= 0.5 or (looks.of("phone") > 1 and looks.share("phone") >= 0.02):
        return looks.of("phone", "phone_47", "phone_shaped", "mobile_4", "mobile_9")
    if looks.share("phone_shaped") >= 0.8 and looks.kinds_of("phone_shaped") >= 3:
        return looks.of("phone_shaped")
    mobiles = looks.of("mobile_4", "mobile_9")
    if (
        looks.share("mobile_4", "mobile_9", "landline", "phone") >= 0.9
        and looks.kinds_of("mobile_4", "mobile_9") >= 8
        and min(looks.of("mobile_4"), looks.of("mobile_9")) >= 0.1 * mobiles
    ):
        return mobiles
    return 0


def _by_name(table: str, rule: NameRule | None, family: str, looks: Looks) -> list[Detected]:
    """What the name speaks for, where the values do not speak against it."""
    if rule is None:
        return []
    if family not in (TEXT, NUMBER):
        return [_named(rule, "high" if family == DATE else "medium", 0)]
    if not looks.sampled:
        doubtful = (
            rule.weak
            and rule.tables is None
            and (rule.kind == "free_text" or not is_of_holders(table))
        )
        return [_named(rule, "low" if doubtful else "medium", 0)]
    fitting = looks.of(*rule.accepts) if rule.accepts else looks.sampled
    if fitting * 2 < looks.sampled:
        return []
    if rule.pattern == "free_text" and rule.weak and rule.tables is None and not _is_prose(looks):
        return []
    if rule.pattern == "date_of_birth" and family == TEXT and looks.share("date") < 0.5:
        return []
    if looks.share("hash") >= 0.5:
        sought = not rule.weak or rule.tables is not None or is_of_holders(table)
        return [_named(rule, "medium", 0)] if sought else []
    sure: Confidence = "medium" if rule.weak else "high"
    if rule.kind == "name" and looks.share("full_name", "given_name") >= 0.2:
        sure = "high"
    return [_named(rule, sure, fitting if rule.accepts else 0)]


def _is_prose(looks: Looks) -> bool:
    return looks.share("text", "phrase", *_TEXTS) >= 0.3


def _named(rule: NameRule, confidence: Confidence, matched: int) -> Detected:
    return Detected(rule.kind, rule.pattern, confidence, "both" if matched else "name", matched)


def _by_words(table: str, rule: NameRule | None, looks: Looks) -> list[Detected]:
    """Names and addresses that their shape gives away, whatever the column is called."""
    found = []
    names = looks.of("full_name", "given_name")
    if (
        looks.kinds_of("full_name", "given_name") >= 3
        and looks.share("full_name", "given_name") >= 0.4
    ):
        found.append(Detected("name", "person_name", "medium", "value", names))
    if (
        looks.kinds_of("address") >= 3
        and looks.share("address") >= 0.5
        and not is_about_things(table)
        and (rule is None or rule.kind != "free_text")
    ):
        found.append(Detected("address", "address", "medium", "value", looks.of("address")))
    return found


def _by_fields(looks: Looks) -> list[Detected]:
    """What the fields of documents hold: each name of a field judged as a column would be."""
    found = []
    for (rule, mark), number in looks.fields.items():
        if mark == "email":
            found.append(Detected("email", "json", "high", "value", number))
        elif mark in ("fodselsnummer", "d_number", "synthetic_tenor") and (
            rule is not None and rule.kind == "national_id"
        ):
            found.append(Detected("national_id", "json", "high", "both", number))
        elif mark == "phone":
            found.append(Detected("phone", "json", "high", "value", number))
        elif mark == "iban":
            found.append(Detected("account_number", "json", "high", "value", number))
        elif mark in ("ipv4", "ipv6"):
            found.append(Detected("ip", "json", "medium", "value", number))
        elif mark in _TEXTS:
            found.append(Detected("free_text", "json", "medium", "value", number))
        elif rule is not None and not rule.weak and (not rule.accepts or mark in rule.accepts):
            found.append(Detected(rule.kind, "json", "medium", "both", number))
    return found

"""What a column's name says, with the table's name as its context.

Belongs here: reading names. Does not belong here: the words (`vocabulary`), and weighing a name against
what the values look like (`judge`).
"""

import re

from retention.detection.vocabulary import ABOUT, HOLDERS, NEVERTHELESS, RULES, NameRule

_THINGS = re.compile(
    r"(^|_)(products?|produkt(er)?|plans?|prices?|coupons?|skus?|categor(y|ies)|countr(y|ies)|cit(y|ies)|currenc(y|ies)"
    r"|tax(_rates?)?|languages?|films?|movies?|stores?|shops?|items?|line_items?|tags?|campaigns?|templates?|roles?"
    r"|permissions?|organi[sz]ations?|compan(y|ies)|partners?|suppliers?|vendors?|connectors?|connections?|destinations?|statuses|types?"
    r"|units?|stages?|pipelines?|features?|metrics?|reports?|transformations?|tracking|options?|inventory|warehouses?"
    r"|journals?|ledgers?|services?|messaging_service|credits?_used|schemas?|tables?|teams?|groups?|departments?"
    r"|segments?|lists?|offices?|branches|regions?|locations?|bank(s)?|fees?|discounts?|payouts?|balance"
    r"|varer?|kategori(er)?|land|byer|butikk(er)?|avdeling(er)?|firma|selskap(er)?|usage|runs?|cost)(_|$)"
)
_PERSONS = re.compile(
    r"(^|_)(persons?|people|customers?|kunder?|users?|brukere?|bruker|contacts?|kontakt(er)?|leads?|members?|medlem(mer)?"
    r"|employees?|ansatte?|staff|subscribers?|participants?|patients?|students?|part(y|ies)|clients?|klient(er)?"
    r"|applicants?|candidates?|guests?|visitors?|senders?|recipients?|advis[eo]rs?|tickets?|cases?|saker|sak|calls?"
    r"|messages?|mails?|e?mail|requests?|activit(y|ies)|tasks?|meetings?|assignments?|oppdrag|orders?|ordre|bestilling(er)?"
    r"|address(es)?|adresser?|charges?|cards?|payments?|payment_methods?|disputes?|recordings?|documents?|dokument(er)?|profiles?"
    r"|registrations?|signatures?|interests?|interview|events?)(_|$)"
)
OTHERS_NAME = re.compile(
    r"(^|_)(company|organi[sz]ation|legal|business|trading|product|plan|file|event|table|schema|column|host|server"
    r"|database|domain|brand|bank|firma|selskap|bedrift|account|friendly|short|country|currency|category|item|role"
    r"|app|application|browser|device|os|campaign|store|service|connector|template|type|status|zone|region|project"
    r"|merchant|store|partner|supplier|vendor|platform|source|medium|channel|stream|group|team|department|class"
    r"|form|page|screen|list|field|key|code|unit|tracking|option|city|state|function|method|job|task|rule|model"
    r"|package|version|network|carrier|operator|language|plan|tax)_?(name|navn|names)$"
)


def words_of(name: str) -> str:
    """The name in small letters with underscores between its words: `billingAddress2` is
    `billing_address2`. The database says the same of a JSON document's keys."""
    apart = re.sub(r"([a-zæøå0-9])([A-ZÆØÅ])", r"\1_\2", name)
    return re.sub(r"[^a-z0-9æøå]+", "_", apart.lower()).strip("_")


def is_about_things(table: str) -> bool:
    """True for a table of products, plans, places or organisations: `name` there is nobody's."""
    words = words_of(table)
    return _THINGS.search(words) is not None and not _PERSONS.search(words)


def is_about_persons(table: str) -> bool:
    """True for a table whose rows are persons, or what happened with one."""
    return _PERSONS.search(words_of(table)) is not None


def is_of_holders(table: str) -> bool:
    """True for a table whose rows are persons, or parties who may be natural persons."""
    return re.search(HOLDERS, words_of(table)) is not None


def rule_for(table: str, column: str) -> NameRule | None:
    """The rule that the column's name speaks for in that table, None where it speaks for nothing."""
    words, of_table = words_of(column), words_of(table)
    if ABOUT.search(words) and not NEVERTHELESS.search(words):
        return None
    return next((rule for rule in RULES if _speaks(rule, words, table, of_table)), None)


def _speaks(rule: NameRule, words: str, table: str, of_table: str) -> bool:
    if not re.search(rule.expression, words):
        return False
    if rule.tables is not None and not re.search(rule.tables, of_table):
        return False
    if rule.pattern == "person_name" and OTHERS_NAME.search(words):
        return False
    if rule.weak and rule.tables is None and not is_about_persons(table):
        return False
    return rule.own or rule.tables is not None or not is_about_things(table)

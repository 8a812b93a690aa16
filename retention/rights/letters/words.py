"""What codes are called in letters, in both languages.

Belongs here: a word for each code that a letter may show. Does not belong here: sentences (the letters' own
texts), and what only the policy can say.
"""

from typing import Literal

_WORDS: dict[str, dict[str, tuple[str, str]]] = {
    # Kinds of personal data, as columns are declared.
    "kind": {
        "name": ("navn", "name"),
        "email": ("e-postadresse", "e-mail address"),
        "phone": ("telefonnummer", "telephone number"),
        "national_id": ("fødselsnummer", "national identity number"),
        "address": ("adresse", "address"),
        "ip": ("IP-adresse", "IP address"),
        "account_number": ("kontonummer", "account number"),
        "free_text": ("fritekst", "free text"),
        "online_id": ("identifikator på nett", "online identifier"),
        "financial": ("økonomiske opplysninger", "financial data"),
        "family": ("familiesituasjon", "family situation"),
        "special_category": ("særlig kategori (art. 9)", "special category (art. 9)"),
        "object_pointer": ("henvisning til en fil", "reference to a file"),
        "other": ("andre opplysninger om deg", "other data about you"),
        "technical": ("nøkler, datoer og status", "keys, dates and states"),
    },
    # Retention categories (requirements § 2).
    "category": {
        "lead_partner": ("kundeemne fra samarbeidspartner", "lead from a partner"),
        "lead_direct": ("kundeemne eller registrert bruker", "lead or registered user"),
        "customer_no_advice": ("kunde uten rådgivning", "customer without advice"),
        "assignment": ("avsluttet oppdrag", "completed assignment"),
        "accounting": ("regnskapsmateriale", "accounting material"),
        "active": ("løpende oppdrag eller avtale", "open assignment or contract"),
        "supporting": ("tilhørende opplysninger", "supporting records"),
        "business_contact": ("kontaktperson", "business contact"),
        "rights_request": ("forespørsel om rettigheter", "rights request"),
        "own": ("våre egne registreringer", "our own records"),
        "unclassified": ("ikke klassifisert", "not classified"),
    },
    # Who gave us what a table holds.
    "source": {
        "person": ("deg selv", "yourself"),
        "partner": ("en samarbeidspartner", "a partner"),
        "public": ("offentlige kilder", "public sources"),
        "us": ("oss, mens vi arbeidet for deg", "us, in the course of our work"),
    },
    "role": {
        "processor": ("databehandler", "processor"),
        "joint_controller": ("felles behandlingsansvarlig", "joint controller"),
        "controller": ("selvstendig behandlingsansvarlig", "controller"),
    },
}

WordKind = Literal["kind", "category", "source", "role"]


def word(code: str, kind: WordKind, language: str) -> str:
    """What `code` is called in `language`. Raises KeyError for a code that has no word."""
    bokmal, english = _WORDS[kind][code]
    return bokmal if language == "nb" else english

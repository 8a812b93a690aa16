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
    # For how long, by where a rule takes its period from, or by the rule that has none.
    "period": {
        "fixed": ("{}", "{}"),
        "assignment_types": ("{}, etter type oppdrag", "{}, by type of assignment"),
        "accounting_classes": (
            "{} etter regnskapsårets slutt",
            "{} after the end of the fiscal year",
        ),
        "hindrance": ("så lenge loven krever det", "as long as the law demands"),
        "instruction": ("etter partnerens instruks", "by the partner's instruction"),
        "followed_record": (
            "som det de hører til, eller kortere",
            "as what they belong to, or shorter",
        ),
        "ACTIVE": (
            "så lenge oppdraget eller avtalen løper",
            "while the assignment or contract is open",
        ),
        "OWN": (
            "så lenge det trengs for å respektere valgene dine",
            "as long as your choices need it",
        ),
        "ERASURE": ("skal slettes", "is to be erased"),
        "CONSENT": ("skal slettes", "is to be erased"),
        "UNCLASSIFIED": ("til en person har vurdert det", "until a person has decided"),
    },
    "role": {
        "processor": ("databehandler", "processor"),
        "joint_controller": ("felles behandlingsansvarlig", "joint controller"),
        "controller": ("selvstendig behandlingsansvarlig", "controller"),
    },
}

WordKind = Literal["kind", "category", "source", "period", "role"]


def word(code: str, kind: WordKind, language: str) -> str:
    """What `code` is called in `language`. Raises KeyError for a code that has no word."""
    bokmal, english = _WORDS[kind][code]
    return bokmal if language == "nb" else english

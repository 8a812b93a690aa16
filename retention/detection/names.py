"""What a column's name says, in English and Norwegian, with the table's name as its context.

Belongs here: the vocabulary. Does not belong here: weighing it against what the values look like (`judge`).

The expressions are of the common ground of Python's and PostgreSQL's: the keys of JSON documents, which may
be values themselves, are judged by them inside the database.
"""

import re
from dataclasses import dataclass

TEXT, NUMBER, DATE, BOOLEAN, UUID = "text", "number", "date", "boolean", "uuid"


@dataclass(frozen=True)
class NameRule:
    """Words of a name that speak for a kind of personal data.

    `expression` is matched against the name in small letters with underscores between its words.
    `accepts` are the marks that values may bear then (none: any), `families` the types a column may have.
    A `weak` rule speaks only in a table of persons. One that is `own` holds in every table; the others do
    not hold in tables of things and organisations.
    """

    kind: str
    pattern: str
    expression: str
    accepts: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset({TEXT})
    weak: bool = False
    own: bool = False

    def matches(self, words: str) -> bool:
        return re.search(self.expression, words) is not None


def _marks(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LETTERS = _marks(
    "given_name full_name word words word_small word_capitals word_mixed phrase address text code"
)
_PLACES = _LETTERS | _marks("digits_1 digits_2 digits_3 digits_4 digits_5 digits_6")
_NATIONAL = _marks(
    "fodselsnummer d_number synthetic_tenor synthetic_nav_or_h_number fh_number national_id_10"
    " digits_11 digits_10 account code other"
)
_PHONES = _marks(
    "phone phone_47 phone_shaped mobile_4 mobile_9 landline digits_5 digits_6 digits digits_10 digits_11"
    " other code account d_number fodselsnummer synthetic_nav_or_h_number national_id_10 fh_number"
)
_TEXTS = _marks(
    "text phrase words word word_small word_capitals word_mixed given_name full_name address email code"
    " text_email text_phone text_national_id text_account json other number"
)
_IDS = _marks(
    "token uuid code digits digits_10 digits_11 digits_card number other word_mixed word_small"
)
_ANY_NUMBER = (
    _marks("number other") | {f"digits_{n}" for n in range(1, 7)} | {"digits", "digits_10"}
)
_BOTH = frozenset({TEXT, NUMBER})
_OPEN = frozenset({TEXT, NUMBER, BOOLEAN})


def _rule(
    kind: str,
    pattern: str,
    words: str,
    accepts: frozenset[str] = frozenset(),
    families: frozenset[str] = frozenset({TEXT}),
    *,
    weak: bool = False,
    own: bool = False,
) -> NameRule:
    return NameRule(kind, pattern, f"(^|_)({words})(_|$)", accepts, families, weak, own)


#: The first that matches speaks.
RULES = (
    _rule(
        "online_id",
        "online_id",
        "cookie|cookie_id|device_id|advertising_id|vendor_id_for_vendors|idfa|gaid|gclid|fbclid|fbp"
        "|visitor_id|anonymous_id|pseudo_id|user_pseudo_id|client_id|ga_client_id|session_id|session_key"
        "|browser_id|tracking_id|fingerprint|user_agent|mac|mac_address|imei|imsi|msisdn_hash|push_token"
        "|device_token|distinct_id|installation_id|app_instance_id",
        families=frozenset({TEXT, NUMBER, UUID}),
        own=True,
    ),
    _rule(
        "online_id",
        "username",
        "user_?name|username|brukernavn|login|login_name|screen_name|nick|nickname|handle|skype|skype_user_name"
        "|twitter|linkedin|facebook|instagram|sip_address|sip_user",
        _LETTERS | _IDS | {"email", "url"},
    ),
    _rule(
        "email",
        "email",
        "e_?mail|e_?mails|e_?mail_?addr|e_?mail_?address|epost|e_post|epostadresse|mail|mail_address|mailadresse"
        "|(from|to|cc|bcc|sender|recipient|reply_to)_address",
        _marks("email text_email code token other word_small json"),
        own=True,
    ),
    _rule(
        "ip",
        "ip",
        "ip|ip_?address(es)?|ip_?adresse|ip_?addr|ipv4|ipv6|remote_addr|client_ip|last_ip",
        _marks("ipv4 ipv6 code token other"),
        own=True,
    ),
    _rule(
        "national_id",
        "national_id",
        "fnr|f_?dselsnr|f_?dsels_?nummer|fodsels_?nummer|foedsels_?nummer|fødsels_?(nr|nummer)|person_?(nr|nummer)"
        "|personal_(id|identity)_?(number|code|no)?|national_?(id|ident|identity|identification)_?(number|no|code)?"
        "|nin|ssn|social_security_(number|no)|d_?nummer|dnr|id_?nummer|cpr|passport_?(number|no)|passnummer"
        "|personal_number|tax_?id_?(number|no)?|birth_number",
        _NATIONAL | _marks("token digits digits_6 other landline mobile_4 mobile_9"),
        _BOTH,
        own=True,
    ),
    _rule(
        "account_number",
        "account_number",
        "iban|bban|konto_?(nr|nummer)|bank_?konto|bank_?account|bank_?account_?(number|no|details)|account_?iban"
        "|utbetalingskonto|kredittkort|kort_?(nr|nummer)|card_?(number|no|num)|credit_?card|pan",
        _NATIONAL
        | _marks(
            "account_grouped iban card card_masked digits digits_card token digits_4 digits_5 digits_6"
        ),
        _BOTH,
        own=True,
    ),
    _rule(
        "financial",
        "card_part",
        "last_?4|last_?four|card_last_?4|dynamic_last_?4",
        _marks("digits_1 digits_2 digits_3 digits_4"),
        _BOTH,
        own=True,
    ),
    _rule(
        "phone",
        "phone",
        "phone|phones|phone_?(number|no|nr)|tele?phone|tele?fon|tlf|tlf_?nr|telefon_?(nr|nummer)|mobil|mobile"
        "|mobil_?(nr|nummer|telefon)|mobile_?(number|phone|no)?|cell|cell_?phone|msisdn|fax|faks|sms_number"
        "|whatsapp|from_number|to_number|caller_number|called_number|caller_id|from_formatted|to_formatted|ringer",
        _PHONES,
        _BOTH,
        own=True,
    ),
    _rule(
        "other",
        "date_of_birth",
        "birth_?date|birth_?day|date_of_birth|dob|f_?dsels_?dato|fødsels_?(dato|dag|år)|fodsels_?(dato|ar)"
        "|foedsels_?dato|year_of_birth|birth_?year|f_dt|født|age|alder",
        frozenset(),
        frozenset({TEXT, NUMBER, DATE}),
        own=True,
    ),
    _rule(
        "other",
        "gender",
        "gender|sex|kj_nn|kjønn|kjonn|pronouns|nationality|nasjonalitet|citizenship|statsborgerskap",
        _LETTERS | _marks("digits_1"),
        _BOTH,
    ),
    _rule(
        "special_category",
        "special_category",
        "union|union_id|union_member(ship)?|trade_union|fagforening|fagforbund|religion|religious|livssyn|health"
        "|helse|diagnos(is|e)|ethnicity|etnisitet|political|party_membership|sexual_orientation|disability",
        frozenset(),
        _OPEN,
    ),
    _rule(
        "family",
        "family",
        "marital_?status|sivilstand|sivil_status|family_situation|familie(situasjon)?|spouse|ektefelle|samboer"
        "|has_children|children|(number|num|antall)_(of_)?(children|barn)|barn|household|husstand|dependents"
        "|next_of_kin|p_r_rende|pårørende|relationship_to|family_status|housing_type|boligtype|boform",
        frozenset(),
        _OPEN,
    ),
    _rule(
        "financial",
        "financial",
        "salary|l_nn|lønn|income|inntekt|gross_income|net_worth|formue|gjeld|debt|credit_score|kredittscore"
        "|wealth|pension|payslip",
        frozenset(),
        _BOTH,
    ),
    _rule(
        "object_pointer",
        "object_pointer",
        "recording_?(url|uri|path|key|link)|opptak(_url)?|(file|document|attachment|media|image|photo|picture|avatar"
        "|scan|id_scan|voicemail|audio|video|object|pdf|receipt|signature)_?(url|uri|link|path|key|location)|avatar"
        "|s3_key|s3_path|blob_?(url|path)|storage_?(path|key|url)|invoice_pdf|hosted_invoice_url|receipt_url",
        _marks("url object_url code token other phrase"),
        own=True,
    ),
    _rule(
        "name",
        "person_name",
        "first_?name|last_?name|middle_?name|given_?name|family_?name|sur_?name|maiden_?name|full_?name|fornavn"
        "|etternavn|mellomnavn|fullt_navn|for_og_etternavn|kunde_?navn|person_?navn|kontakt_?(person|navn)|legal_first_name"
        "|(contact|customer|client|person|user|member|employee|buyer|cardholder|card_holder|account_holder|holder"
        "|payer|payee|recipient|sender|receiver|attendee|guest|owner|author|signer|signatory|adviser|advisor|agent"
        "|lawyer|spouse|partner_contact|lead|applicant|passenger|subscriber|staff|guardian|billing|shipping|caller"
        "|receipt|beneficiary|evidence_customer)_name|cardholder|contact_person|attention_to|attn|buyer|kj_per|kjøper"
        "|signed_by|avsender|mottaker|saksbehandler|r_dgiver|rådgiver|patient|pasient|innehaver|caller_name",
        _LETTERS,
    ),
    _rule("name", "person_name", "name|navn|display_name|names", _LETTERS, weak=True),
    _rule(
        "address",
        "address",
        "(address|addr|adresse|billing|shipping|postal|mailing|home|delivery|street|physical|hjemme|post|bolig"
        "|faktura|leverings)_?(address|adresse|street|line|line_?[1-4]|[1-4]|city|zip|zip_?code|postal_?code|code|state"
        "|region|country|district|country_code|place|number|no)(_[1-4])?|street|street_?(name|number|no|address)?|gate"
        "|gate_?(navn|adresse|nummer|nr)|veiadresse|adresse|adresselinje(_?[1-4])?|address|address_?line(_?[1-4])?"
        "|address_?[1-4]|line_?[12]|postal_?code|post_?code|zip|zip_?code|post_?(nr|nummer|sted)|house_?(number|no|nr)"
        "|hus_?nummer|bruksenhet|attention",
        _PLACES,
        _BOTH,
    ),
    _rule(
        "address",
        "locality",
        "city|town|by|poststed|municipality|kommune|district|bydel|locality|county|fylke|region|state|province"
        "|suburb|neighbou?rhood",
        _PLACES,
        _BOTH,
        weak=True,
    ),
    _rule(
        "address",
        "coordinates",
        "latitude|longitude|lat|lng|lon|breddegrad|lengdegrad|geo_?(point|location|hash)|coordinates",
        _ANY_NUMBER | _marks("code phrase token"),
        _BOTH,
        weak=True,
    ),
    _rule(
        "free_text",
        "free_text",
        "notes?|notater?|notat|comments?|kommentar(er)?|remarks?|merknad(er)?|memo|message|message_body|melding(er)?"
        "|body|body_(text|html)|transcript(ion)?|feedback|free_?text|fritekst|tilbakemelding|customer_message|inquiry"
        "|henvendelse|snippet|instructions|evidence_[a-z_]*(explanation|description|communication)",
        _TEXTS,
    ),
    _rule(
        "free_text",
        "free_text",
        "description|beskrivelse|subject|emne|summary|sammendrag|title|tittel|text|tekst|content|innhold|reason"
        "|question|answer|sp_rsm_l|spørsmål|svar|details|private_note|file_?name|filnavn|search_term|query",
        _TEXTS,
        weak=True,
    ),
)

# What a name ends or begins with where it speaks of the thing, not of a person's data.
ABOUT = re.compile(
    r"(^(is|has|can|should|allow|enable|enabled|num|number_of|count|total|default)_)"
    r"|(_(id|ids|sid|uuid|guid|key|count|counts|total|status|type|kind|verified|enabled|valid|flag|format|template"
    r"|domain|hash|sent|opened|clicked|check|source|label|sequence|prefix|suffix|method|version|language"
    r"|class|category|policy|created|updated|deleted|at|on|date|time|zone|code_id|requirement|required|opt_in"
    r"|opt_out|consent|preference|settings?|limit|quota|price|amount|currency|fee|rate|errors?|result|mode"
    r"|capabilities|eligible|supported|present|length|size|subtype|collection|display_order|exists))$"
)
# These end like that and are still a person's.
NEVERTHELESS = re.compile(
    r"(^|_)(fullt_navn|personal_id|national_id|tax_id|birth_date|date_of_birth|dob|device_id|session_id|client_id"
    r"|cookie_id|visitor_id|anonymous_id|pseudo_id|advertising_id|caller_id|distinct_id|tracking_id|browser_id"
    r"|fodselsdato|f_dselsdato|fødselsdato|marital_status|family_status|housing_type|s3_key|object_key|file_key"
    r"|recording_key|storage_key|session_key|app_instance_id|installation_id|union_id|relationship_to|has_children"
    r"|(number|num|antall)_(of_)?(children|barn))$"
)

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


def speaks_of_a_person(words: str) -> bool:
    """False for a name that says a state, a count or a key of something, whatever its other words."""
    if OTHERS_NAME.search(words):
        return False
    return NEVERTHELESS.search(words) is not None or ABOUT.search(words) is None


def rule_for(table: str, column: str) -> NameRule | None:
    """The rule that the column's name speaks for in that table, None where it speaks for nothing."""
    words = words_of(column)
    if not speaks_of_a_person(words):
        return None
    for rule in RULES:
        if rule.matches(words) and (rule.own or not is_about_things(table)):
            return rule
    return None

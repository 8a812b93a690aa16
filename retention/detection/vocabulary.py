"""The words of column names that speak for a kind of personal data, in English and Norwegian.

Belongs here: the words, the tables in which they speak, and what their values may look like. Does not
belong here: reading a name (`names`), and weighing it against the values (`judge`).

The expressions are of the common ground of Python's and PostgreSQL's: the keys of JSON documents, which may
be values themselves, are judged by them inside the database.
"""

import re
from dataclasses import dataclass

TEXT, NUMBER, DATE, BOOLEAN, UUID, OPAQUE = "text", "number", "date", "boolean", "uuid", "opaque"


@dataclass(frozen=True)
class NameRule:
    """Words of a name that speak for a kind of personal data.

    `expression` is matched against the name in small letters with underscores between its words.
    `accepts` are the marks that values may bear then (none: any), `families` the types a column may have.
    A `weak` rule speaks only in a table of persons, or in the `tables` it names. One that is `own` holds in
    every table; the others do not hold in tables of things and organisations.
    """

    kind: str
    pattern: str
    expression: str
    accepts: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset({TEXT})
    weak: bool = False
    own: bool = False
    tables: str | None = None


def _marks(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LETTERS = _marks(
    "given_name full_name word word_small word_capitals word_mixed phrase address text code hash"
)
_PLACES = _LETTERS | _marks("digits_1 digits_2 digits_3 digits_4 digits_5 digits_6")
_NATIONAL = _marks(
    "fodselsnummer d_number synthetic_tenor synthetic_nav_or_h_number fh_number national_id_10"
    " digits_11 digits_10 account code other hash"
)
_NUMBERS_OF_PHONES = _marks(
    "phone phone_47 phone_shaped mobile_4 mobile_9 landline digits_10 digits_11 account d_number"
    " fodselsnummer synthetic_nav_or_h_number national_id_10 fh_number"
)
_PHONES = _NUMBERS_OF_PHONES | _marks("digits_5 digits_6 digits other code hash")
_TEXTS = _LETTERS | _marks(
    "text_email text_phone text_national_id text_account text_address email json other number"
)
_IDS = _marks(
    "token hash uuid code digits digits_10 digits_11 digits_card number other word_mixed word_small"
)
_POINTERS = _marks("url object_url code token hash other phrase word_small")
_FEW_DIGITS = frozenset(f"digits_{n}" for n in range(1, 7))
_COORDINATES = _FEW_DIGITS | _marks("number other digits digits_10 code phrase token")
_BOTH = frozenset({TEXT, NUMBER})
_OPEN = frozenset({TEXT, NUMBER, BOOLEAN})

#: Tables whose rows are persons, or parties who may be natural persons.
HOLDERS = (
    "(^|_)(persons?|people|customers?|kunder?|users?|brukere?|contacts?|kontakt(er)?|leads?|members?|medlem(mer)?"
    "|employees?|ansatte?|staff|subscribers?|participants?|patients?|students?|part(y|ies)|clients?|klient(er)?"
    "|applicants?|candidates?|guests?|visitors?|advis[eo]rs?|cards?|payment_methods?|cardholders?|suppliers?|vendors?"
    "|recipients?|senders?)(_|$)"
)
_ADDRESSES = HOLDERS.replace("(persons?", "(address(es)?|adresser?|persons?").replace("|cards?", "")
_SALES = (
    "(^|_)(invoices?|credit_notes?|line_items?|journals?|charges?|payments?(?!_method)|transactions?|orders?"
    "|quotes?|receipts?|refunds?|disputes?|faktura(er)?|bilag|ordre)(_|$)"
)


def _rule(
    kind: str,
    pattern: str,
    words: str,
    accepts: frozenset[str] = frozenset(),
    families: frozenset[str] = frozenset({TEXT}),
    *,
    last: bool = False,
    weak: bool = False,
    own: bool = False,
    tables: str | None = None,
) -> NameRule:
    """`last`: the words must end the name."""
    expression = f"(^|_)({words})" + ("$" if last else "(_|$)")
    return NameRule(kind, pattern, expression, accepts, families, weak, own, tables)


#: The first that matches, in the table at hand, speaks.
RULES = (
    _rule(
        "account_number",
        "card_part",
        "fingerprint",
        _IDS,
        own=True,
        tables="(^|_)(cards?|bank|payment_methods?|sepa|debit)(_|$)",
    ),
    _rule(
        "online_id",
        "online_id",
        "cookie|cookie_id|device_id|advertising_id|vendor_id_for_vendors|idfa|gaid|gclid|fbclid|fbp"
        "|visitor_id|anonymous_id|pseudo_id|user_pseudo_id|client_id|ga_client_id|session_id|session_key"
        "|browser_id|tracking_id|fingerprint|user_agent|mac|mac_address|imei|imsi|push_token"
        "|device_token|distinct_id|installation_id|app_instance_id",
        families=frozenset({TEXT, NUMBER, UUID}),
        own=True,
    ),
    _rule(
        "online_id",
        "username",
        "user_?name|brukernavn|login|login_name|screen_name|nick|nickname|handle|skype|skype_user_name"
        "|twitter|linkedin|facebook|instagram|sip_address|sip_user",
        _LETTERS | _IDS | {"email", "url"},
    ),
    _rule(
        "email",
        "email",
        "e_?mails?|e_?mail_?addr|e_?mail_?address(es)?|epost|e_post|epostadresse|mail|mail_address|mailadresse"
        "|(from|to|cc|bcc|sender|recipient|reply_to)_address",
        _marks("email text_email code token hash other word_small json"),
        own=True,
    ),
    _rule(
        "ip",
        "ip",
        "ip|ip_?address(es)?|ip_?adresse|ip_?addr|ipv4|ipv6|remote_addr|client_ip|last_ip",
        _marks("ipv4 ipv6 code token hash other"),
        own=True,
    ),
    _rule(
        "national_id",
        "national_id",
        "fnr|f_?dselsnr|f_?dsels_?nummer|fodsels_?(nr|nummer)|foedsels_?(nr|nummer)|fødsels_?(nr|nummer)"
        "|person_?(nr|nummer)|personal_(id|identity)_?(number|code|no)?"
        "|national_?(id|ident|identity|identification)_?(number|no|code)?|nin|ssn|social_security_(number|no)"
        "|d_?nummer|dnr|id_?nummer|cpr|passport_?(number|no)|passnummer|personal_number|birth_number"
        "|tax_?(id|number|id_number|id_no)",
        _NATIONAL | _marks("token digits digits_6 landline mobile_4 mobile_9"),
        _BOTH,
        own=True,
    ),
    _rule(
        "account_number",
        "account_number",
        "iban|bban|konto_?(nr|nummer)|bank_?konto|bank_?account|bank_?account_?(number|no|details)|account_?iban"
        "|utbetalingskonto|kredittkort|kort_?(nr|nummer)|card_?(number|no|num)|credit_?card|pan",
        _NATIONAL
        | _FEW_DIGITS
        | _marks("account_grouped iban card card_masked digits digits_card token"),
        _BOTH,
        own=True,
    ),
    _rule(
        "account_number",
        "account_number",
        "account_?(number|no)",
        _NATIONAL | _marks("account_grouped iban card card_masked digits digits_card"),
        _BOTH,
        weak=True,
        tables=HOLDERS,
    ),
    _rule(
        "account_number",
        "card_part",
        "last_?4|last_?four",
        _FEW_DIGITS,
        _BOTH,
        own=True,
    ),
    _rule(
        "phone",
        "phone",
        "phones?|phone_?(number|no|nr)|tele?phone|tele?fon|tlf|tlf_?nr|telefon_?(nr|nummer)|mobil|mobile"
        "|mobil_?(nr|nummer|telefon)|mobile_?(number|phone|no)|cell|cell_?phone|msisdn|fax|faks|sms_number"
        "|whatsapp|from_number|to_number|caller_number|called_number|from_formatted|to_formatted",
        _PHONES,
        _BOTH,
        own=True,
    ),
    _rule(
        "phone",
        "phone",
        "from|to|forwarded_from|called|called_via|caller|caller_id|ringer|fra|til|friendly_name",
        _NUMBERS_OF_PHONES,
        last=True,
        weak=True,
        tables="(^|_)(calls?|messages?|sms|phone|phone_numbers?|caller_ids?|recordings?|voicemails?|samtaler?)(_|$)",
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
        "trait",
        "gender|sex|kj_nn|kjønn|kjonn|pronouns|nationality|nasjonalitet|citizenship|statsborgerskap|housing_type"
        "|boligtype|boform|job_title|stilling|occupation|yrke|employer|arbeidsgiver",
        _LETTERS | {"digits_1"},
        _BOTH,
    ),
    _rule(
        "other",
        "employer",
        "organi[sz]ation|organisasjon|employer_name|workplace|arbeidssted",
        _LETTERS,
        last=True,
        weak=True,
        tables="(^|_)(persons?|contacts?|kontakt(er)?|leads?|employees?|users?)(_|$)",
    ),
    _rule(
        "other",
        "secret",
        "password|passord|passwd|pwd|password_hash|password_digest|pin_code",
        families=frozenset({TEXT, OPAQUE}),
    ),
    _rule(
        "other",
        "picture",
        "picture|photo|portrait|bilde|foto",
        families=frozenset({TEXT, OPAQUE}),
        last=True,
        weak=True,
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
        "|next_of_kin|p_r_rende|pårørende|relationship_to|family_status",
        frozenset(),
        _OPEN,
    ),
    _rule(
        "financial",
        "financial",
        "salary|l_nn|lønn|income|inntekt|gross_income|net_worth|formue|gjeld|debt|credit_score|kredittscore"
        "|wealth|pension|payslip|exp_month|exp_year|expiry_(month|year)|card_expiry|delinquent",
        frozenset(),
        _OPEN,
    ),
    _rule(
        "financial",
        "balance",
        "balance|account_balance|saldo|delinquent|credit_limit|outstanding(_balance)?",
        families=_OPEN,
        last=True,
        weak=True,
        tables="(^|_)(customers?|kunder?|persons?|users?|members?)(_|$)",
    ),
    _rule(
        "object_pointer",
        "object_pointer",
        "recording_?(url|uri|path|key|link)|opptak(_url)?|(file|document|attachment|media|image|photo|picture|avatar"
        "|scan|id_scan|voicemail|audio|video|object|pdf|receipt|signature)_?(url|uri|link|path|key|location)|avatar"
        "|s3_key|s3_path|blob_?(url|path)|storage_?(path|key|url)|hosted_invoice_url",
        _POINTERS,
        own=True,
    ),
    _rule(
        "object_pointer",
        "object_pointer",
        "pdf|receipt|signature|documentation|document_(front|back)|uncategorized_file|customer_communication|vedlegg",
        _POINTERS,
        last=True,
        own=True,
    ),
    _rule(
        "name",
        "person_name",
        "first_?name|last_?name|middle_?name|given_?name|family_?name|sur_?name|maiden_?name|full_?name|fornavn"
        "|etternavn|mellomnavn|fullt_navn|for_og_etternavn|kunde_?navn|person_?navn|kontakt_?(person|navn)"
        "|(contact|customer|client|person|user|member|employee|buyer|cardholder|card_holder|account_holder|holder"
        "|payer|payee|recipient|sender|receiver|attendee|guest|owner|author|signer|signatory|adviser|advisor|agent"
        "|lawyer|spouse|partner_contact|lead|applicant|passenger|subscriber|staff|guardian|billing|billing_details?"
        "|shipping|caller|receipt|beneficiary)_name|cardholder|contact_person|attention_to|attn|buyer|kj_per|kjøper"
        "|signed_by|avsender|mottaker|saksbehandler|r_dgiver|rådgiver|patient|pasient|innehaver",
        _LETTERS,
    ),
    _rule(
        "name",
        "party_name",
        "(company|business|business_profile|trading|legal|firma|dashboard_display)_(name|navn)(_kana|_kanji)?",
        _LETTERS,
        last=True,
        weak=True,
        own=True,
        tables=HOLDERS.replace("(persons?", "(accounts?|persons?"),
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
        "place",
        "(geo|visitor|location)_(city|region|metro|continent|sub_continent|country|country_code|postal_code|state)",
        _PLACES,
        _BOTH,
        own=True,
    ),
    _rule(
        "address",
        "place",
        "city|town|municipality|kommune|bydel|locality|county|fylke|province|suburb|neighbou?rhood",
        _PLACES,
        _BOTH,
        weak=True,
    ),
    _rule(
        "address",
        "place",
        "state|region|district|(iso_)?country(_code)?|land",
        _PLACES - {"word_small", "code"},
        _BOTH,
        last=True,
        weak=True,
        tables=_ADDRESSES,
    ),
    _rule(
        "address",
        "coordinates",
        "latitude|longitude|lat|lng|lon|breddegrad|lengdegrad|geo_?(point|location|hash)|coordinates",
        _COORDINATES,
        _BOTH,
        weak=True,
    ),
    _rule(
        "free_text",
        "free_text",
        "notes?|notater?|notat|comments?|kommentar(er)?|remarks?|merknad(er)?|memo|message|message_body|melding(er)?"
        "|body|body_(text|html)|transcript(ion)?|feedback|free_?text|fritekst|tilbakemelding|inquiry|henvendelse"
        "|snippet|instructions|annotation|explanation|rebuttal|activity_log|uncategorized_text",
        _TEXTS,
        last=True,
    ),
    _rule("free_text", "file_name", "file_?name|filnavn", _TEXTS | {"token"}, last=True, weak=True),
    _rule(
        "free_text",
        "free_text",
        "description|beskrivelse|memo|reference_text",
        _TEXTS,
        last=True,
        weak=True,
        own=True,
        tables=_SALES,
    ),
    _rule(
        "free_text",
        "free_text",
        "description|beskrivelse|subject|emne|summary|sammendrag|title|tittel|text|tekst|content|innhold|reason"
        "|question|answer|sp_rsm_l|spørsmål|svar|details|private_note|search_term|query",
        _TEXTS,
        last=True,
        weak=True,
    ),
)

#: What a name ends or begins with where it speaks of the thing, not of a person's data.
ABOUT = re.compile(
    r"(^(is|has|can|should|allow|enable|enabled|num|number_of|count|total|default|error|failure|outcome|system)_)"
    r"|(^|_)(error|failure|seller)_message$"
    r"|(_(id|ids|sid|uuid|guid|key|count|counts|total|status|type|kind|verified|enabled|valid|flag|format|template"
    r"|domain|hash|sent|opened|clicked|check|source|label|sequence|prefix|suffix|method|version|language"
    r"|class|category|policy|created|updated|deleted|at|on|date|time|zone|code_id|requirements?|required|opt_in"
    r"|opt_out|consent|preference|settings?|limit|quota|price|amount|currency|fee|rate|errors?|result|mode"
    r"|capabilities|eligible|supported|present|provided|registrar|length|size|subtype|collection|display_order"
    r"|exists|event|product_description))$"
    r"|_error_message$"
)
#: These end like that and are still a person's.
NEVERTHELESS = re.compile(
    r"(^|_)(fullt_navn|personal_id|national_id|tax_id|birth_date|date_of_birth|device_id|session_id|client_id"
    r"|cookie_id|visitor_id|anonymous_id|pseudo_id|advertising_id|distinct_id|tracking_id|browser_id"
    r"|marital_status|family_status|housing_type|s3_key|object_key|file_key|recording_key|storage_key"
    r"|session_key|app_instance_id|installation_id|union_id|relationship_to|has_children|credit_limit"
    r"|(number|num|antall)_(of_)?(children|barn))$|^caller_id$"
)

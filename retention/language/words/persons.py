"""Words for persons' rights, and for whom we tell."""

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "right": {
        "access": "access",
        "portability": "data portability",
        "rectification": "rectification",
        "erasure": "erasure",
        "restriction": "restriction",
        "objection": "objection",
        "withdrawal": "withdrawal of consent",
    },
    "request_state": {
        "received": "received",
        "identity_verified": "identity verified",
        "decided": "decided",
        "carried_out": "carried out",
        "closed": "closed",
    },
    "decision_basis": {
        "request": "a person's request",
        "withdrawal": "a withdrawn consent",
    },
    "decision_outcome": {
        "erase": "erased",
        "minimise": "minimised",
        "lock": "locked",
        "refuse": "refused",
        "relay": "relayed to the controller",
        "person": "left to a person",
    },
    "contact_point": {
        "email": "e-mail address",
        "phone": "telephone number",
    },
    "notice_occasion": {
        "purge": "purge",
        "erasure": "erasure",
        "restriction": "restriction",
        "rectification": "rectification",
        "withdrawal": "withdrawal of consent",
        "sharing_stopped": "sharing stopped",
    },
    "notice_state": {
        "open": "not sent yet",
        "sent": "sent",
        "acknowledged": "acknowledged",
        "impossible": "impossible to reach",
    },
    "relay_direction": {
        "in": "from a partner",
        "out": "to a partner",
    },
    "relay_because": {
        "joint": "joint controller",
        "processor": "we are its processor",
        "received": "received from it",
    },
    "relay_state": {
        "open": "not sent yet",
        "sent": "sent",
        "received": "received",
        "answered": "answered",
        "closed": "closed",
    },
    # Kinds of personal data, as columns are declared.
    "data_kind": {
        "name": "name",
        "email": "e-mail address",
        "phone": "telephone number",
        "national_id": "national identity number",
        "address": "address",
        "ip": "IP address",
        "account_number": "account number",
        "free_text": "free text",
        "online_id": "online identifier",
        "financial": "financial data",
        "family": "family situation",
        "special_category": "special category (art. 9)",
        "object_pointer": "reference to a file",
        "other": "other personal data",
        "technical": "keys, dates and states",
    },
    "role": {
        "processor": "processor",
        "joint_controller": "joint controller",
        "controller": "controller",
    },
}

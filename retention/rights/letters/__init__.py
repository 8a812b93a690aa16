"""Letters to persons, in Norwegian bokmål and English, as HTML and as PDF.

Belongs here: their texts (`*.nb.j2`, `*.en.j2`), the small markup these are written in, and the two forms
they are given. Does not belong here: what a letter tells, which whoever sends it gathers.

    letter = compose("decision", "nb", policy=policy, reference=str(request_id), on=day, **what_it_tells)
    as_html(letter), as_pdf(letter)

`fonts/` holds Noto Sans (SIL Open Font License 1.1), cut to the Latin, Greek and Cyrillic scripts.
"""

from retention.rights.letters.compose import LANGUAGES, Language, compose
from retention.rights.letters.html import as_html
from retention.rights.letters.markup import Letter
from retention.rights.letters.pdf import as_pdf

__all__ = ["LANGUAGES", "Language", "Letter", "as_html", "as_pdf", "compose"]

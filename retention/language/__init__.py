"""What people read, in the languages of the project: English as in the code, and Norwegian bokmål.

Belongs here: the languages, saying a sentence, a word for each code, numbers and days as people write
them. Does not belong here: the sentences (they stand where they are said), and the texts of letters to
persons, which have a file per language.

    nb = speaker(Language.NB, settings.policy_dir)
    nb.say("{records} records are overdue", records=1204)
    nb.plural("{n} table", "{n} tables", 3)
    nb.word("status", "due_soon")
    TITLE = N_("Records by table")          # said later: nb.say(TITLE)

A sentence's English text is its name in the catalog, `nb.po`, which
`python -m retention.language.extract` keeps in step with the code.
"""

from retention.language.languages import LANGUAGE, N_, Language, chosen
from retention.language.speaker import Said, Span, Speaker, speaker

__all__ = ["LANGUAGE", "N_", "Language", "Said", "Span", "Speaker", "chosen", "speaker"]

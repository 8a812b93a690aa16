"""The generated pages of `docs/reference/`: made from code, checked in, compared by a test.

Belongs here: a module for each page, from the code that the page is about to its text. Does not belong
here: pages that people write, and what the code itself already says better.

`make reference` writes them all.
"""

"""Telling owners what falls due: once for each due date, by e-mail and chat, in counts and links.

Belongs here: whom a table's owner is told by (`channels`), handing a message over (`delivery`), what
has not been told yet (`ledger`), its words (`message`), sending it once (`send`), and what is wrong
with that (`standing`). Does not belong here: when it is sent (the daily job, the command), and what
falls due, which the models say.
"""

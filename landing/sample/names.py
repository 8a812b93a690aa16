"""Word lists: Norwegian first and last names, streets, towns, and made-up organisations.

Belongs here: plain lists. Does not belong here: putting them together into a person.

The order of a list is part of what a seed means: add at the end.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WOMEN = _words(
    "Anne Inger Kari Marit Ingrid Liv Eva Berit Astrid Bjørg Hilde Anna Solveig Marianne Randi"
    " Ida Nina Maria Elisabeth Kristin Bente Heidi Silje Hanne Linda Tone Anita Elin Tove Wenche"
    " Ragnhild Camilla Ellen Karin Mona Julie Emma Nora Sofie Ingeborg Thea Sunniva Åse"
    " Synnøve Aud Gunhild Maja Frida Live Tuva Vilde Åshild Sigrid Ylva Guro Hedda Amalie Karoline"
    " Mari Oda Fatima Aisha"
)
MEN = _words(
    "Jan Per Bjørn Ole Lars Kjell Knut Svein Thomas Arne Geir Hans Morten Tor Martin Terje Odd"
    " Erik Andreas Rolf John Jon Anders Rune Trond Tore Daniel Jonas Kristian Magnus Harald Øyvind"
    " Stian Henrik Espen Fredrik Eirik Einar Sverre Håkon Øystein Frode Leif Kåre Steinar Vegard"
    " Sondre Sindre Jakob Emil Oskar Noah Lukas Filip Aksel Ludvig Mathias Ørjan Åge Tarjei"
    " Mohammed Ali"
)
LAST = _words(
    "Hansen Johansen Olsen Larsen Andersen Pedersen Nilsen Kristiansen Jensen Karlsen Johnsen"
    " Pettersen Eriksen Berg Haugen Hagen Johannessen Andreassen Jacobsen Halvorsen Jørgensen Dahl"
    " Lund Henriksen Sørensen Jakobsen Moen Gundersen Iversen Strand Solberg Svendsen Eide Knutsen"
    " Martinsen Paulsen Bakken Kristoffersen Mathisen Lie Amundsen Nguyen Rasmussen Solheim Bakke"
    " Berge Moe Nygård Fredriksen Holm Lunde Kristensen Hauge Evensen Hermansen Myhre Ali Helland"
    " Aune Ruud Bråthen Sæther Tangen Ødegård Næss Tveit Vik Haugland Myklebust Sandvik Rønning"
    " Østby Fjeld Bøe Bjerke Aas Ellingsen Antonsen Arnesen Thorsen Viken Brekke Foss Sunde Skaar"
)
STREETS = _words(
    "Storgata Kirkeveien Skolegata Parkveien Bjørkeveien Granveien Furuveien Strandgata Havnegata"
    " Solbakken Lyngveien Rosenveien Fjellveien Skogveien Elvegata Torggata Nedregate Bakkegata"
    " Åsveien Lindealleen Markveien Tverrgata Vestbyveien Østre_vei Industrigata Møllergata"
    " Kongens_gate Dronningens_gate Prestegårdsveien Brugata Eplehagen Sjøgata"
)
TOWNS = (
    ("0181", "Oslo"),
    ("0560", "Oslo"),
    ("5014", "Bergen"),
    ("5063", "Bergen"),
    ("7013", "Trondheim"),
    ("7030", "Trondheim"),
    ("4006", "Stavanger"),
    ("3015", "Drammen"),
    ("1606", "Fredrikstad"),
    ("4612", "Kristiansand"),
    ("9008", "Tromsø"),
    ("3210", "Sandefjord"),
    ("6003", "Ålesund"),
    ("8006", "Bodø"),
    ("1706", "Sarpsborg"),
    ("3717", "Skien"),
    ("2317", "Hamar"),
    ("2609", "Lillehammer"),
    ("1532", "Moss"),
    ("5525", "Haugesund"),
    ("9510", "Alta"),
    ("6413", "Molde"),
    ("7713", "Steinkjer"),
    ("2822", "Gjøvik"),
    ("3611", "Kongsberg"),
    ("9900", "Kirkenes"),
)
FAMILY_SITUATIONS = (
    "gift, to barn",
    "samboer, ett barn",
    "enslig",
    "skilt, delt omsorg",
    "enke",
    "samboer uten barn",
    "gift, særkullsbarn",
)
HOUSING_TYPES = ("enebolig", "leilighet", "rekkehus", "borettslag", "gårdsbruk", "fritidsbolig")
ORGANISATIONS = (
    "Advokatfirmaet Fjordblikk",
    "Nordlys Trykkeri",
    "Kontorpartner Eksempel",
    "Bjørkelund Regnskap",
    "Takst og Tinglysing Eksempel",
    "Lindøy IT-drift",
    "Advokatkontoret Havgløtt",
    "Skrivestua Eksempel",
)
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Safari/605.1.15",
)

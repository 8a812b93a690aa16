"""Opening a package as the person does.

Belongs here: decrypting. Does not belong here: what should stand in it.
"""

import pyzipper

from retention.rights.package.make import Made


def opened(made: Made) -> dict[str, bytes]:
    """Every file of a package by its name."""
    with pyzipper.AESZipFile(made.path) as archive:
        archive.setpassword(made.passphrase.encode())
        assert all(one.flag_bits & 1 for one in archive.infolist())
        return {name: archive.read(name) for name in archive.namelist()}

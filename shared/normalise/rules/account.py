r"""Account columns (name, domain, SID, UPN) -> user.name, user.domain, user.email.

Names come as `user`, `DOMAIN\user` or `user@domain`; Defender writes Windows' own accounts in lower case (`system`,
`nt authority`), rules compare them in Windows' spelling.
"""

from __future__ import annotations

# Microsoft: "Security identifiers", well-known SIDs
# fmt: off
_ACCOUNTS: dict[str, tuple[str, str]] = {
    "S-1-5-7":  ("ANONYMOUS LOGON", "NT AUTHORITY"),
    "S-1-5-17": ("IUSR",            "NT AUTHORITY"),
    "S-1-5-18": ("SYSTEM",          "NT AUTHORITY"),
    "S-1-5-19": ("LOCAL SERVICE",   "NT AUTHORITY"),
    "S-1-5-20": ("NETWORK SERVICE", "NT AUTHORITY"),
}
_DOMAINS: dict[str, str] = {  # lower case -> Windows' spelling
    "nt authority":       "NT AUTHORITY",
    "nt service":         "NT SERVICE",
    "nt virtual machine": "NT VIRTUAL MACHINE",
    "iis apppool":        "IIS APPPOOL",
    "window manager":     "Window Manager",
    "font driver host":   "Font Driver Host",
    "builtin":            "BUILTIN",
}
# fmt: on
_NAMES = {name.lower(): name for name, _ in _ACCOUNTS.values()}
_ABSENT = frozenset({"", "-", "N/A", "n/a"})


def user(
    name: str | None, domain: str | None = None, sid: str | None = None, upn: str | None = None
) -> tuple[str | None, str | None, str | None]:
    r"""Account name, domain, SID and UPN -> (user.name, user.domain, user.email).

    - `DOMAIN\user` and `user@domain` in the name are split, and fill the domain where its column is empty; without a
      name the UPN gives it (Elastic's m365_defender changelog 3.10.0).
    - The UPN is the e-mail address as Entra ID writes it; a guest's (`kim_example.com#EXT#@tenant.onmicrosoft.com`,
      Microsoft: "User properties of a B2B collaboration user") is turned back into the address in it.
    - S-1-5-18, -19 and -20 are written as Windows does (`SYSTEM`, `NT AUTHORITY`): one public rule compares user.name
      with "SYSTEM" heeding case where Defender sends "system". Only the spelling is mended or a missing name filled:
      macOS and Linux sensors send S-1-5-18 for `root`, and a German Windows says `SYSTEM` with the domain
      `NT-AUTORITÄT`, which stay.

    >>> user("system", "nt authority", "S-1-5-18"), user("CONTOSO\\kim"), user(None, None, None, "kim@example.com")
    (('SYSTEM', 'NT AUTHORITY', None), ('kim', 'CONTOSO', None), ('kim', 'example.com', 'kim@example.com'))
    """
    email = None
    if name is not None and len(name) < 4 and name in _ABSENT:
        name = None
    if domain is not None and len(domain) < 4 and domain in _ABSENT:
        domain = None
    if upn is not None and "@" in upn:
        email = address(upn)
    if sid is not None and len(sid) < 9 and sid in _ACCOUNTS:
        known, its_domain = _ACCOUNTS[sid]
        if name is None or name.lower() == known.lower():
            return (known, its_domain if domain is None else _DOMAINS.get(domain.lower(), domain), email)
    elif name is None:
        if upn in _ABSENT or upn is None:
            return None, domain, email
        name = upn
    if name is not None and ("\\" in name or "@" in name):
        suffix: str | None
        if name is upn and email is not None and "\\" not in name:  # what `split` says; the address is known
            name, _, suffix = name.rpartition("@")
        else:
            name, suffix, its_address = split(name)
            email = email or its_address
        domain = domain or suffix
    if domain is not None and (known_domain := _DOMAINS.get(domain.lower())) is not None:
        domain = known_domain
        if domain == "NT AUTHORITY" and name is not None:
            name = _NAMES.get(name.lower(), name)
    return name, domain, email


def split(account: str) -> tuple[str | None, str | None, str | None]:
    r"""`DOMAIN\user`, `user@domain` or `user` -> (name, domain, e-mail address).

    >>> split("CONTOSO\\kim"), split("kim@example.com"), split("kim")
    (('kim', 'CONTOSO', None), ('kim', 'example.com', 'kim@example.com'), ('kim', None, None))
    """
    domain, backslash, name = account.partition("\\")
    if backslash:
        if not name:
            return domain or None, None, None
        return name, domain or None, None
    name, at, suffix = account.rpartition("@")
    if at and name and suffix and " " not in suffix:
        return name, suffix, address(account)
    return account or None, None, None


def address(upn: str | None) -> str | None:
    """The e-mail address in a UPN, None if it has none; a guest's is turned back into the guest's own."""
    if not upn:
        return None
    if upn.count("@") == 1 and " " not in upn and "#" not in upn and upn[0] != "@" != upn[-1]:
        return upn  # by far the most
    name, at, domain = upn.rpartition("@")
    if not at or not name or not domain or " " in upn:
        return None
    guest = name.upper().find("#EXT#") if "#" in name else -1
    if guest > 0:
        local, underscore, its_domain = name[:guest].rpartition("_")
        if underscore and local and "." in its_domain:
            return f"{local}@{its_domain}"
    return upn


def is_computer(name: str | None) -> bool | None:
    """Whether an account is a computer's: Windows ends those names in `$` (None: no name)."""
    if not name:
        return None
    return name[-1] == "$"

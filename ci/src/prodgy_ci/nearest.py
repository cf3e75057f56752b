"""The words of an error about a misspelt name."""

from collections.abc import Iterable

SHOWN = 40


def hint(name: str, known: Iterable[str]) -> str:
    """`: did you mean 'engine'? Known: a, b` for a name that is not among the known ones."""
    import difflib

    names = list(known)
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    meant = f": did you mean '{close[0]}'? " if close else ". "
    return f"{meant}Known: {shown or 'none'}"

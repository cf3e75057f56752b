"""What can go wrong, each with the exit code of a command line. Dagger shows the message alone."""


class ProdgyError(Exception):
    """Anything a user can mend."""

    exit_code = 1


class InputError(ProdgyError):
    """An argument, a file or a name that a user gave is not what it must be."""

    exit_code = 2


class CatalogError(InputError):
    """The catalog's file is not what it must be; `problems` holds one line for each fault, each with its key's path."""

    def __init__(self, source_name: str, problems: list[str]) -> None:
        self.source_name = source_name
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source_name}: {problem}" for problem in problems))


class UnknownServiceError(InputError):
    """A service that the catalog does not have."""


class UndeterminedError(ProdgyError):
    """It could not be told what changed: never to be taken for "nothing changed"."""

    exit_code = 3

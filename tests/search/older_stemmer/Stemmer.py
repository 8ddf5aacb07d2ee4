"""A stand-in for another release of PyStemmer: a process that finds this folder first on its path stems otherwise."""


def version() -> str:
    return "2.0.1"


class Stemmer:
    """Takes the first four letters for the stem, in every language."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm

    def stemWord(self, word: str) -> str:
        return word[:4]

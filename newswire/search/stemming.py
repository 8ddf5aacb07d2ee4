"""Which languages have a stemmer (Snowball), and one of them for each thread."""

import re
import threading
from typing import Any

import Stemmer

UNDETERMINED = "und"
"""The language (ISO 639-2) of stem tokens where there is no stemmer."""

# Primary subtags of BCP 47 and the Snowball algorithms for them.
_ALGORITHMS: dict[str, str] = dict(
    re.findall(
        r"(\w+)=(\w+)",
        "ar=arabic ca=catalan cs=czech da=danish de=german el=greek en=english eo=esperanto es=spanish "
        "et=estonian eu=basque fa=persian fi=finnish fr=french ga=irish hi=hindi hu=hungarian hy=armenian "
        "id=indonesian it=italian lt=lithuanian nb=norwegian ne=nepali nl=dutch nn=norwegian no=norwegian "
        "pl=polish pt=portuguese ro=romanian ru=russian sr=serbian st=sesotho sv=swedish ta=tamil "
        "tr=turkish yi=yiddish",
    )
)

_thread = threading.local()


def stemming_language(language: str | None) -> str:
    """The primary subtag of a BCP 47 tag (en of en-GB) when there is a stemmer for it, else `UNDETERMINED`."""
    subtag = (language or "").partition("-")[0].lower()
    return subtag if subtag in _ALGORITHMS else UNDETERMINED


def stemmer_for(language: str) -> Any:
    """This thread's stemmer: they may not be shared, and a lock costs more than one for each thread."""
    if not hasattr(_thread, language):
        setattr(_thread, language, Stemmer.Stemmer(_ALGORITHMS[language]))
    return getattr(_thread, language)

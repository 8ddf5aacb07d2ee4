"""Words without the particles and prefixes that some scripts write onto them; pure.

Korean joins particles to the end of a noun (서울에서, in Seoul). Hebrew joins prepositions, the article and
conjunctions to the beginning of a word (בירושלים, in Jerusalem), and so does Arabic (وبالعراق). Documents and queries
have each word both ways. What is left must be long enough to be a word. Where a word only happens to begin or end so,
it is found a little too often. Not here: what the stemmers of Snowball remove (`newswire.search.analysis`).
"""

import re
from collections.abc import Iterator

HANGUL, HEBREW, ARABIC = re.compile("[가-힣]"), re.compile("[א-ת]"), re.compile("[ء-ي]")

# Each particle stands behind a syllable that ends in a consonant, in a vowel, or in either.
CONSONANT = "은 이 을 과 이라는 이라고 이나 이며 이란 으로 으로서 으로써 으로부터"
VOWEL = "는 가 를 와 라는 라고 란 로 로서 로써 로부터"
EITHER = (
    "의 도 만 에 에서 에게 에게서 에는 에도 에서는 에서도 에서의 에의 에만 께 께서 까지 까지의 까지도"
    " 부터 보다 처럼 마다 조차 밖에 한테 만의 만이 만은 만을 와의 과의 와는 과는 로의 으로의 로는 으로는"
    " 로도 으로도 대로 에선 에게는 에게도 들 들은 들이 들을 들의 들에게 들과 들도"
)
BEHIND_CONSONANT, BEHIND_VOWEL, BEHIND_EITHER = (frozenset(each.split()) for each in (CONSONANT, VOWEL, EITHER))
FINALS = 28
"""Syllables of Hangul with the same initial and vowel: the first has no final consonant, the ninth ends in ㄹ."""
SHORTEST_NOUN = 2

# And; that and when; in, to, from and as; the. Each may be missing, and together they are at most three letters.
HEBREW_PREFIXES = re.compile("(ו?)((?:כש|מש|לכש|ש)?)([בלמכ]?)(ה?)")
LONGEST_PREFIX, SHORTEST_ROOT = 3, 3
# And or then; in, to or as; the, which becomes a second letter behind to.
ARABIC_PREFIXES = re.compile("([وف]?)([بكل]?)((?:(?<=ل)ل|ال)?)")


def bare_words(form: str, language: str) -> Iterator[str]:
    """The word within a folded word, for each particle or prefix that it may have; none for most scripts."""
    if HANGUL.match(form[-1]):
        yield from without_particle(form)
    elif HEBREW.match(form):
        yield from without_prefixes(form, HEBREW_PREFIXES)
    elif language == "ar" and ARABIC.match(form):
        yield from without_prefixes(form, ARABIC_PREFIXES)


def without_particle(form: str) -> Iterator[str]:
    """The noun before the longest particle, if two syllables are left."""
    for length in range(min(LONGEST_PARTICLE, len(form) - SHORTEST_NOUN), 0, -1):
        noun, particle = form[:-length], form[-length:]
        if particle in PARTICLES and fits_syllable(noun[-1], particle):
            yield noun
            return


def fits_syllable(syllable: str, particle: str) -> bool:
    """Whether a particle may stand behind a syllable; behind a digit or a letter of another script any may."""
    if particle in BEHIND_EITHER or not HANGUL.match(syllable):
        return True
    final = (ord(syllable) - ord("가")) % FINALS
    # 으로 is 로 behind ㄹ: 서울로.
    if particle.startswith("로"):
        return final in (0, 8)
    return particle in (BEHIND_CONSONANT if final else BEHIND_VOWEL)


def without_prefixes(form: str, prefixes: "re.Pattern[str]") -> Iterator[str]:
    """The word without its first prefix, without its first two, and so on."""
    found = prefixes.match(form)
    assert found is not None
    ends = sorted({found.end(number) for number in range(1, 1 + prefixes.groups)} - {0})
    for end in ends:
        if end <= LONGEST_PREFIX + 1 and len(form) - end >= SHORTEST_ROOT:
            yield form[end:]


PARTICLES = BEHIND_CONSONANT | BEHIND_VOWEL | BEHIND_EITHER
LONGEST_PARTICLE = max(map(len, PARTICLES))

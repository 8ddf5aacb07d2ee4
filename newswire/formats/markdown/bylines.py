"""The recognition of names in prose: credits at the end of captions, bylines, and names at the start of biographies.

The patterns cover a dozen languages and match only clear cases; callers keep everything else as text.
"""

import re

LABELS = r"""
    photos? photo\scredits? photograph(?:s|y|er)? images? image\scredits? pictures? credits? illustrations? graphic
    fotos? fotograf(?:ie|ía|ia|o)? bild(?:er|nachweis|quelle)? quelle crédits? crédits?\sphotos? imag(?:en|em)
    créditos? immagine ilustraci[oó]n фото снимок иллюстрация צילום תמונה קרדיט איור صورة الصورة تصوير الصور
    写真 撮影 画像 提供 摄影 攝影 图 图片 圖 圖片 图源 来源 來源 사진
"""
CREDIT = re.compile(
    rf"\s*[(（\[](?:{'|'.join(LABELS.split())})(?:\s*[:：/／]|\s(?:by|von|par|por|de|di|da)\s)\s*"
    r"((?:[^()（）\[\]]|[(（][^()（）]*[)）])+)[)）\]]\s*\.?\s*$",
    re.IGNORECASE,
)

BYLINE = re.compile(
    r"(?:(?:By|BY|Von|Par|Por|Di|Door|מאת|بقلم)(?:\s*[:：]\s*|\s+)|(?:Автор|Текст|作者|記者|记者|文)\s*[:：/／]\s*)(.+)"
)
PLACE_OR_MEDIUM = re.compile(r"\s(?:in|for|at|à|en|para|für|aus|via)\s.*")
BETWEEN_NAMES = re.compile(r"\s*(?:[,،、;]|\s(?:and|und|et|y|e|и|&)\s)\s*")
LONGEST_BYLINE = 250

SMALL_WORDS = """
    of the for and de da do dos das del della di du des van von der den ter la le el al bin ibn ben y e &
"""
PARTICLES = frozenset(SMALL_WORDS.split())
CASED = re.compile(r"[A-Za-zÀ-ɏΑ-ωА-ӿ]")
LONGEST_NAME = 60
MOST_WORDS = 8
MOST_WORDS_UNCASED = 5

# What follows the name at the start of a biography.
VERB = re.compile(
    r"""\s*[,،，(（]|\s+[—–-]\s|\s+(?:is|are|was|were|covers|writes|reports|joined|works|serves|leads|lives|edits
    |contributes|studied|has\s+(?:been|written|worked|covered|reported|contributed|lived|edited)
    |est|sont|était|écrit|couvre|travaille|dirige|vit|collabore|ist|sind|war|schreibt|berichtet|arbeitet|leitet|lebt
    |es|son|era|fue|escribe|cubre|trabaja|vive|informa|colabora|è|sono|scrive|copre|lavora|collabora|é|são|foi|escreve
    |cobre|trabalha|zijn|schrijft|werkt|является|пишет|освещает|работает|был|была|ведёт|живёт
    |הוא|היא|הם|הינו|הינה|כותבת|כותב|מסקרת|מסקר|כתבת|כתב|עיתונאית|עיתונאי|עורכת|עורך|צלמת|צלם
    |هو|هي|صحفية|صحفي|صحافية|صحافي|كاتبة|كاتب|مراسلة|مراسل|محررة|محرر|تكتب|يكتب|تغطي|يغطي|مصورة|مصور)\b
    |是|现任|現任|は""",
    re.VERBOSE,
)
ARTICLE = re.compile(r"(?:The|Der|Die|Das|Les|Los|Las|Gli)\s+(?=\S)")
# Trades that a biography names soon after the person, and that the last paragraph of a story hardly ever does.
TRADE = re.compile(
    r"""\b(?:(?<!told\ )(?<!to\ )(?<!with\ )(?:journalist(?:s|in|innen|en)?|reporters?)|journalism|correspondents?
    |editors?|writers?|writes|authors?|bloggers?|columnists?|photographers?|photojournalists?|freelanc\w+|broadcasters?|presenters?|contributors?
    |contributes|commentators?|cartoonists?|translators?|professors?|lecturers?|researchers?|historians?|fellow
    |graduate|covers|covering|reports\ (?:on|from)|lives\ in|studied|podcast\w*)\b
    |redakt|schreibt|\bautor|berichtet|fotograf|journalistes?\b|rédac|écrit|couvre|pigiste|auteur|redac|redaz|redat
    |periodis|giornalis|jornalis|repórter|correspons|corrispond|korrespond|escribe|escreve|scrive|fotógraf|cubre|cobre|schrijft
    |журналист|корреспондент|редак|\bавтор|обозрева|пишет|освеща|фотограф|репорт[её]р
    |\bעיתונא|\bה?כתב(?:ת|י|ים|ות)?\b(?!\ אישום)|\bעורכ|\bעורך|\bסופר|\bכותב|\bמסקר|\bצלמ|\bצלם
    |صحفي|صحافي|مراسل|كاتب|محرر|تكتب|يكتب|تغطي|يغطي|مصور
    |[记記]者(?!会|會|团|招待)|编辑|編輯|編集|撰稿|评论员|主编|ライター|執筆|特派員|写真家""",
    re.IGNORECASE | re.VERBOSE,
)
SOON = 100
SOON_UNCASED = 40
# "Ada Lark is a lawyer": no trade of journalism, so it counts only after a name of at least two words.
IS_A = re.compile(
    r"\s+(?:(?:is|was)\s+an?|(?:is|was)\s+the\s+(?:former|founder|head|host|director|president|ceo|chief)|are\s+the"
    r"|est\s+une?|ist\s+eine?|es\s+una?|è\s+una?|é\s+uma?)\s",
    re.IGNORECASE,
)
DESK = re.compile(
    r"\b(?:staff|team|desk|newsroom|editors|bureau|redaktion|rédaction|redacción|redazione|redação|redactie|редакция|מערכת)\b"
    "|تحرير|编辑部|編集部",
    re.IGNORECASE,
)
THIRD_PERSON = "He She It They We This That Er Sie Il Elle Он Она הוא היא"
PRONOUNS = frozenset(THIRD_PERSON.split())


def split_credit(caption: str) -> tuple[str, str | None]:
    """Splits a caption into its text and the name in a closing `(Photo: NAME)`, None without one."""
    found = CREDIT.search(caption)
    return (caption[: found.start()].strip(), found[1].strip()) if found else (caption.strip(), None)


def byline_names(line: str) -> list[str]:
    """The names in a line such as "By Ada Lark and Tom Reed"; empty for any other line."""
    found = BYLINE.fullmatch(line.strip()) if len(line) <= LONGEST_BYLINE else None
    if not found:
        return []
    names = [name for name in BETWEEN_NAMES.split(PLACE_OR_MEDIUM.sub("", found[1])) if name]
    people = [name for name in names if not TRADE.search(name)] or names
    return people if all(_is_name(name) for name in people) else []


def biography_name(biography: str) -> str | None:
    """The name that a biography begins with, up to the verb and without "The"; None if it is not clearly a name."""
    found = VERB.search(biography)
    if not found:
        return None
    name = ARTICLE.sub("", biography[: found.start()].strip(), count=1)
    return name if is_biography_of(name, name + biography[found.start() :]) else None


def is_biography_of(name: str, text: str) -> bool:
    """Whether `text` begins with `name` and goes on to say what that person or desk does."""
    rest = text[len(name) :]
    if not text.casefold().startswith(name.casefold()) or not _is_name(name) or name in PRONOUNS:
        return False
    if TRADE.search(rest[: SOON if CASED.match(name) else SOON_UNCASED]):
        return True
    return bool(VERB.match(rest) and (DESK.search(name) or (" " in name and IS_A.match(rest))))


def bold_name(name: str, rest: str) -> str | None:
    """The name in bold before `rest`, if it is that of a person; None for the start of a notice."""
    is_person = _is_name(name) and " " in name and not TRADE.search(name)
    return name if is_person or is_biography_of(name, f"{name} {rest}") else None


def _is_name(text: str) -> bool:
    """Whether `text` can be a name: few words, capitalised where the script has capitals."""
    words = text.split()
    most = MOST_WORDS if CASED.match(text) else MOST_WORDS_UNCASED
    if not 0 < len(words) <= most or len(text) > LONGEST_NAME or text[-1] in ":!?;。" or words[0] in PARTICLES:
        return False
    capitalised = all(word in PARTICLES or not CASED.match(word) or word[0].isupper() for word in words)
    return capitalised and any(character.isalpha() for character in text)

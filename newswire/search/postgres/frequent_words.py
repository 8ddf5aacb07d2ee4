"""Frequent words: of two of them that stand side by side in an article, the pair is a lexeme of the index.

They are the function words, and the forms that a fifth or more of the articles of a language have: measured with 2,684
English, 587 German, 295 Dutch, 495 Spanish, 498 Esperanto, 2,399 Arabic and 1,536 Japanese articles of 600 characters
or more (docs/decisions/0044). Every row has the pairs of this list, so that a query may rely on them: a change of the
list needs another `ANALYSIS_VERSION`, and no word may be added while rows of an analysis before are searched.
"""

from newswire.search.function_words import FUNCTION_WORDS
from newswire.search.normal_form import fold_word

ENGLISH = """
000 1 2 5 added against company dlrs first government last made make new now one people said three time
told two us will world year years
"""
GERMAN = """
000 1 2 ab alle allerdings beim bereits dabei damit dann die diese dieser drei durch ersten etwa euro
gegen gibt habe hat hatte hatten ihre immer jahr jahren keine konnen konnte laut man mehr muss noch nun
osterreich rund sagte schon sei seien seit soll sollen war waren weil wieder wien will worden wurde wurden
zwei
"""
DUTCH = """
1 2 2000 3 af alle alleen altijd andere augustus daar dan dat die doen door drie dus eens eerste eigen
enkele gaan gaat geen gisteren goed groot grote haar hebben heeft heel hele hem hoe hun jaar jaren juli
juni kan komen komt krijgen kunnen laatste land leven maar maken mee meer men mensen met moet moeten n net
nieuwe nog nu omdat ons onze plaats procent september staat tegen tijd tijdens toch toe toen tussen twee
van veel volgens vooral vrijdag waar want waren weer wel werd werken wil willen worden wordt zal zaterdag
ze zegt zelf zelfs zich zij zo zoals zou zullen
"""
SPANISH = """
000 1 ademas ano anos ante asi aunque contra dijo donde dos durante fue gobierno grupo ha han hoy lo
madrid manana mientras millones otros parte pasado porque presidente primera proximo segun ser sido son
tambien tiene todos tras tres ya
"""
ESPERANTO = """
000 2 2019 2020 alia aliaj angla ankau ankorau antau car ci cirkau ciuj cu devas diras diris dum ec ekde
ekzemple ekzistas eo estas esti estis fare fari gi gia gin gis granda grupo havas homoj ili ilia ilin
inter jam jaroj kaj ke kelkaj kiam kie kiel kio kion kiu kiuj kiujn kiun komunumo kontrau krom kun kvankam
lando landoj lau li lingvo lingvoj lingvon mem mi mia mondo multaj ne ni nia nova nun nuntempe ofte okazis
ol oni parto per plej pli post poste povas pri pro rajtoj regiono registaro rilate sed sen sia siaj siajn
sian sociaj stato tamen tie tiel tio tion tiu tiuj tiun tra tre tuta unu unua uzata vi via
"""
ARABIC = """
اكثر التي الذي العام الله الي اليوم امس ان انه او اي بعد بن بين تم حتي حيث خلال ذلك رييس عام عدد علي عن
غير في فيما فيه قبل قد كان كل كما لا لم له ما محمد مع من منذ هذا هذه هو وفي وقال ومن وهو
"""
JAPANESE = """
1 10 11 12 13 14 15 16 2 20 2005 2006 2008 3 30 4 5 6 7 8 9 com utc あっ あり ある い いう いた いて いと いな
いる う えた えて おり か かけ かっ から が があ く けた けて こと この これ され し した して す する その
それ た たが たこ たと たの ため だっ った って つい て てい てお ての ては で であ でき での では でも と
とい とが とし とな とに との とも とを どの ない なか なっ など なる に にあ につ にな には にも によ に対
に関 の のた ので のは の后 は はな ば への また まで め めた めて める も もの よう より よる よれ ら らの
られ り る るが るこ ると れ れた れて れば れる われ を を受 を発 を行 イン ス スト スポ ター ック ット ツ
ディ ト ニュ ポー ム メン ュー ラン リー ル ン ンタ ント ー ース ーツ ート ーム ール 东京 予定 人が 人の 今回
会 分 前 午后 受け 后 回の 売新 対し 年 年に 年の 情报 报道 新闻 日 日に 日の 日午 日新 日本 时 时间 月 月に
朝日 歳 毎日 现在 発表 社 第 経済 约 行っ 行わ 表し 読売 通信 闻 闻に 闻社
"""

MEASURED = " ".join((ENGLISH, GERMAN, DUTCH, SPANISH, ESPERANTO, ARABIC, JAPANESE))
FREQUENT_WORDS = frozenset([*map(fold_word, FUNCTION_WORDS), *MEASURED.split()])
"""Forms, as the index has them."""


def is_frequent_pair(first: str, second: str) -> bool:
    """Whether the pair of two adjacent forms is a lexeme of each article that has it."""
    return first in FREQUENT_WORDS and second in FREQUENT_WORDS

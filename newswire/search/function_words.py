"""Function words: the, of, what, der, les, por. They carry no subject, so none of them makes a match by itself.

Words that are a name or a subject in one of the other languages are left out: German die and war, French car and son,
Dutch van and door. Not here: what becomes of them (`newswire.search.relaxation`).
"""

ENGLISH = """
a about after again all also am an and any are as at be because been before being between both but by can
could did do does doing during each few for from further get had has have having he her here hers him his how
i if in into is it its just me more most my no nor not of off on once only or other our out over own s same
she should so some such t than that the their them then there these they this those through to too under until
up very was we were what when where which while who whom whose why with would you your
"""
GERMAN = """
aber als am auch auf aus bei bis das dass dem den der des doch ein eine einem einen einer eines er es für
haben hier ich ihr im ist kann mit nach nicht nur ob oder ohne sein seine sich sie sind um und uns unter vom
von vor wann warum wegen wenn wer werden wie wir wird wo zu zum zur zwischen über
"""
FRENCH = """
au aux avec ce ces cette comme d dans de du elle en est et il ils je l la le les leur leurs mais nous ou où
par pas pour pourquoi qu quand que quel quelle qui ses sont sur un une vous à
"""
ROMANCE = """
al alla ao aos che chi como con cuando cuándo cómo da das del della delle desde di e el ella em entre es esta
este foi gli hasta i il las los mais muy más na nas nel nella no nos não o os ou para pela pelo pelos perché
pero più por quando que quién qué se si sin sobre sono su sua sus são um uma una y
"""
GERMANIC = """
aan att av bij de det deze dit een en ett för het hij hos ik jeg med naar niet och og om onder ook op på som
te til tot uit vad var voor waarom wat wie zijn är
"""

FUNCTION_WORDS = frozenset(" ".join((ENGLISH, GERMAN, FRENCH, ROMANCE, GERMANIC)).split())
"""Casefolded, with their marks, as `Term.spelling` has them."""

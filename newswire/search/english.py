"""American and British spelling of English: the British stem of a word in American spelling; pure.

Documents in English have the British stem beside the American one, and a query looks for both. British is the common
form because it has fewer meanings: `programme` and `grey` are one thing each, and `organise` shares no stem with an
organ. What a rule can do is a rule: no American word in -ize or -yze becomes another word with an s. The rest is a list
of words, applied to stems, so that it covers their inflections. Pairs of which the American word mostly means something
else (check, curb, draft, story) are left out. Not here: the stemmer (`newswire.search.analysis`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

import Stemmer

# At least three letters come before: size, prize and seize are British too.
Z_WORD = re.compile(
    r"([a-z]{3,}[iy])z(e|ed|es|er|ers|ing|ingly|able|ation|ations|ational|ationally)", re.ASCII
)  # fmt: skip

# color: colour; with the endings, and then the words, that have stems of their own: armory, favorite.
OUR = (
    "arbor ardor armor behavior candor clamor clangor color demeanor discolor dishonor disfavor enamor endeavor favor"
    " fervor flavor glamor harbor honor humor labor misbehavior misdemeanor multicolor neighbor odor parlor rancor"
    " rigor rumor savior savor splendor succor tricolor tumor unfavor valor vapor vigor watercolor"
)
OUR_ENDINGS = ("", "less", "y")
OUR_WORDS = "favorite favoritism neighborhood behaviorism behaviorist colorist colorfast laborite"
# center: centre.
RE = (
    "caliber center epicenter fiber goiter liter luster meager meter centimeter kilometer millimeter milliliter ocher"
    " reconnoiter saber saltpeter scepter sepulcher somber specter theater amphitheater"
)
RE_ENDINGS = {"er": "re", "ers": "res", "ered": "red", "ering": "ring"}
# defense: defence.
ENCE = "defense defenseless offense pretense license"
# catalog: catalogue.
OGUE = "analog catalog dialog epilog monolog prolog travelog"
# fulfill: fulfil. The stemmer makes traveled and travelled alike by itself, so these few are what is left.
OTHERS = """
    airplane aeroplane / aluminum aluminium / anemia anaemia / anemic anaemic / anesthesia anaesthesia /
    anesthetic anaesthetic / anesthetist anaesthetist / archeological archaeological / artifact artefact / ax axe /
    behoove behove / caldron cauldron / carburetor carburettor / celiac coeliac / cesarean caesarean /
    checkbook chequebook / chili chilli / cipher cypher / councilor councillor / counselor counsellor / cozy cosy /
    defenseman defenceman / diarrhea diarrhoea / donut doughnut / edema oedema / encyclopedia encyclopaedia /
    encyclopedic encyclopaedic / esophagus oesophagus / esthetic aesthetic / estrogen oestrogen / fecal faecal /
    feces faeces / fetal foetal / fetus foetus / gram gramme / gray grey / gynecological gynaecological /
    hematology haematology / hemoglobin haemoglobin / hemophilia haemophilia / hemophiliac haemophiliac /
    hemorrhage haemorrhage / homeopathy homoeopathy / hypoglycemia hypoglycaemia / ischemia ischaemia /
    ischemic ischaemic / jewelry jewellery / judgment judgement / kilogram kilogramme / leukemia leukaemia /
    licorice liquorice / maneuver manoeuvre / maneuverable manoeuvrable / medieval mediaeval / mold mould /
    molt moult / mom mum / mustache moustache / omelet omelette / orthopedic orthopaedic /
    orthopedist orthopaedist / pajama pyjama / paleontologist palaeontologist / panelist panellist /
    pediatric paediatric / pediatrician paediatrician / pedophile paedophile / pedophilia paedophilia /
    plow plough / program programme / septicemia septicaemia / skeptic sceptic / smolder smoulder /
    snowplow snowplough / sulfate sulphate / sulfide sulphide / sulfur sulphur / tidbit titbit / whiskey whisky /
    woolen woollen / yogurt yoghurt
"""
# These words alone, because the stemmer takes them for others: tire for tired, skillful for skill, fuelled for none.
ALONE = {
    "tire": "tyre", "tires": "tyres", "skillful": "skilful", "skillfully": "skilful", "willful": "wilful",
    "willfully": "wilful", "dialled": "dial", "dialling": "dial", "fuelled": "fuel", "fuelling": "fuel",
    "refuelled": "refuel", "refuelling": "refuel",
}  # fmt: skip


def british_stem(word: str, stem: str, stem_word: Callable[[str], str]) -> str | None:
    """The stem of the British spelling of a lower-case word in American spelling; None for all others.

    `stem` is the one of the word itself.
    """
    if "z" in word and (found := Z_WORD.fullmatch(word)):
        return stem_word(f"{found[1]}s{found[2]}")
    if word in ALONE:
        return stem_word(ALONE[word])
    return british_stems().get(stem)


@cache
def british_stems() -> Mapping[str, str]:
    """The British stem for each American one that has another; with the stemmer of the process."""
    stem_word = Stemmer.Stemmer("english").stemWord
    stems = ((stem_word(american), stem_word(british)) for american, british in spelling_pairs())
    return {american: british for american, british in stems if american != british}


def spelling_pairs() -> Iterator[tuple[str, str]]:
    """Words in American and in British spelling."""
    for root in OUR.split():
        for ending in OUR_ENDINGS:
            yield root + ending, f"{root[:-2]}our{ending}"
    for word in OUR_WORDS.split():
        yield word, word.replace("or", "our", 1)
    for root in RE.split():
        for american, british in RE_ENDINGS.items():
            yield root[:-2] + american, root[:-2] + british
    for word in ENCE.split():
        yield word, word.replace("ens", "enc")
    for word in OGUE.split():
        yield word, f"{word}ue"
    for pair in OTHERS.split("/"):
        american, british = pair.split()
        yield american, british

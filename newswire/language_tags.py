"""Language tags: their canonical form (RFC 5646, section 4.5), and the ranges that match a tag (RFC 4647, 3.3.1).

The tables are the records of the IANA Language Subtag Registry (2024-05-16) that have a `Preferred-Value`. Two things
are added, because publishers write them and CLDR reads them so: the three-letter codes of languages that have a shorter
one, which RFC 5646 demands (2.2.1), and UK for GB. Scripts stay where they are said, and nothing is guessed: `sh` stays
`sh`, `zh-TW` stays `zh-TW` (decision 0031). Not here: stemming languages (`newswire.search.languages`).
"""

import re
from collections.abc import Mapping
from functools import lru_cache

TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,6}|[IiXx]([-_][A-Za-z0-9]{1,8}){1,6}")
"""A tag as it is taken: with hyphens, or the underscores of POSIX and Java. `i-` and `x-` begin tags of their own."""


def _read_table(text: str) -> Mapping[str, str]:
    return dict(pair.split("=") for pair in text.split())


WHOLE_TAGS = _read_table(
    "art-lojban=jbo en-gb-oed=en-GB-oxendict i-ami=ami i-bnn=bnn i-hak=hak i-klingon=tlh i-lux=lb i-navajo=nv "
    "i-pwn=pwn i-tao=tao i-tay=tay i-tsu=tsu no-bok=nb no-nyn=nn sgn-be-fr=sfb sgn-be-nl=vgt sgn-ch-de=sgg "
    "zh-guoyu=cmn zh-hakka=hak zh-min-nan=nan zh-xiang=hsn sgn-br=bzs sgn-co=csn sgn-de=gsg sgn-dk=dsl sgn-es=ssp "
    "sgn-fr=fsl sgn-gb=bfi sgn-gr=gss sgn-ie=isg sgn-it=ise sgn-jp=jsl sgn-mx=mfs sgn-ni=ncs sgn-nl=dse sgn-no=nsl "
    "sgn-pt=psr sgn-se=swl sgn-us=ase sgn-za=sfs"
)
"""Grandfathered and redundant tags, in lower case, and the tags that replace them."""
LANGUAGES = _read_table(
    "in=id iw=he ji=yi jw=jv mo=ro aam=aas adp=dz ajp=apc ajt=aeb asd=snz aue=ktz ayx=nun bgm=bcg bic=bir bjd=drl "
    "blg=iba ccq=rki cjr=mom cka=cmr cmk=xch coy=pij cqu=quh dit=dif drh=khk drr=kzk drw=prs gav=dev gfx=vaj ggn=gvr "
    "gli=kzk gti=nyc guv=duz hrr=jal ibi=opa ilw=gal jeg=oyb kgc=tdf kgh=kml kgm=plu koj=kwv krm=bmf ktr=dtp kvs=gdj "
    "kwq=yam kxe=tvd kxl=kru kzj=dtp kzt=dtp lak=ksp lii=raq llo=ngt lmm=rmx meg=cir mst=mry mwj=vaj myd=aog myt=mry "
    "nad=xny ncp=kdz nns=nbr nnx=ngv nom=cbr nts=pij nxu=bpp oun=vaj pat=kxr pcr=adx pmc=huw pmk=crr pmu=phr ppa=bfy "
    "ppr=lcq prp=gu pry=prt puz=pub sca=hle skk=oyb smd=kmb snb=iba szd=umi tdu=dtp thc=tpo thw=ola thx=oyb tie=ras "
    "tkk=twm tlw=weo tmk=tdg tmp=tyj tne=kak tnf=prs tpw=tpn tsf=taj uok=ema xba=cax xia=acn xkh=waw xrq=dmw xss=zko "
    "ybd=rki yma=lrr ymt=mtm yos=zom yuu=yug zir=scv zkb=kjh aar=aa abk=ab afr=af aka=ak alb=sq amh=am ara=ar arg=an "
    "arm=hy asm=as ava=av ave=ae aym=ay aze=az bak=ba bam=bm baq=eu bel=be ben=bn bih=bh bis=bi bod=bo bos=bs bre=br "
    "bul=bg bur=my cat=ca ces=cs cha=ch che=ce chi=zh chu=cu chv=cv cor=kw cos=co cre=cr cym=cy cze=cs dan=da deu=de "
    "div=dv dut=nl dzo=dz ell=el eng=en epo=eo est=et eus=eu ewe=ee fao=fo fas=fa fij=fj fin=fi fra=fr fre=fr fry=fy "
    "ful=ff geo=ka ger=de gla=gd gle=ga glg=gl glv=gv gre=el grn=gn guj=gu hat=ht hau=ha hbs=sh heb=he her=hz hin=hi "
    "hmo=ho hrv=hr hun=hu hye=hy ibo=ig ice=is ido=io iii=ii iku=iu ile=ie ina=ia ind=id ipk=ik isl=is ita=it jav=jv "
    "jpn=ja kal=kl kan=kn kas=ks kat=ka kau=kr kaz=kk khm=km kik=ki kin=rw kir=ky kom=kv kon=kg kor=ko kua=kj kur=ku "
    "lao=lo lat=la lav=lv lim=li lin=ln lit=lt ltz=lb lub=lu lug=lg mac=mk mah=mh mal=ml mao=mi mar=mr may=ms mkd=mk "
    "mlg=mg mlt=mt mol=ro mon=mn mri=mi msa=ms mya=my nau=na nav=nv nbl=nr nde=nd ndo=ng nep=ne nld=nl nno=nn nob=nb "
    "nor=no nya=ny oci=oc oji=oj ori=or orm=om oss=os pan=pa per=fa pli=pi pol=pl por=pt pus=ps que=qu roh=rm ron=ro "
    "rum=ro run=rn rus=ru sag=sg san=sa sin=si slk=sk slo=sk slv=sl sme=se smo=sm sna=sn snd=sd som=so sot=st spa=es "
    "sqi=sq srd=sc srp=sr ssw=ss sun=su swa=sw swe=sv tah=ty tam=ta tat=tt tel=te tgk=tg tgl=tl tha=th tib=bo tir=ti "
    "ton=to tsn=tn tso=ts tuk=tk tur=tr twi=tw uig=ug ukr=uk urd=ur uzb=uz ven=ve vie=vi vol=vo wel=cy wln=wa wol=wo "
    "xho=xh yid=yi yor=yo zha=za zho=zh zul=zu"
)
"""Deprecated language subtags, then three-letter codes, and the subtags that replace them."""
REGIONS = _read_table("bu=mm dd=de fx=fr tp=tl uk=gb yd=ye zr=cd")
EXTENDED = {
    language: prefix
    for prefix, languages in _read_table(
        "ar=aao,abh,abv,acm,acq,acw,acx,acy,adf,aeb,aec,afb,ajp,apc,apd,arb,arq,ars,ary,arz,auz,avl,"
        "ayh,ayl,ayn,ayp,bbz,pga,shu,ssh sgn=ads,aed,aen,afg,ajs,ase,asf,asp,asq,asw,bfi,bfk,bog,bqn,"
        "bqy,bvl,bzs,cds,csc,csd,cse,csf,csg,csl,csn,csq,csr,csx,doq,dse,dsl,dsz,ecs,ehs,esl,esn,"
        "eso,eth,fcs,fse,fsl,fss,gds,gse,gsg,gsm,gss,gus,hab,haf,hds,hks,hos,hps,hsh,hsl,icl,iks,"
        "ils,inl,ins,ise,isg,isr,jcs,jhs,jks,jls,jos,jsl,jus,kgi,kvk,lbs,lgs,lls,lsb,lsc,lsg,lsl,"
        "lsn,lso,lsp,lst,lsv,lsw,lsy,lws,mdl,mfs,mre,msd,msr,mzc,mzg,mzy,nbs,ncs,nsi,nsl,nsp,nsr,"
        "nzs,okl,pgz,pks,prl,prz,psc,psd,psg,psl,pso,psp,psr,pys,rib,rms,rnb,rsi,rsl,rsm,rsn,sdl,"
        "sfb,sfs,sgg,sgx,slf,sls,sqk,sqs,sqx,ssp,ssr,svk,swl,syy,szs,tse,tsm,tsq,tss,tsy,tza,ugn,"
        "ugy,ukl,uks,vgt,vsi,vsl,vsv,wbs,xki,xml,xms,yds,ygs,yhs,ysl,ysm,zib,zsl ms=bjn,btj,bve,bvu,"
        "coa,dup,hji,jak,jax,kvb,kvr,kxd,lce,lcf,liw,max,meo,mfa,mfb,min,mqg,msi,mui,orn,ors,pel,"
        "pse,tmw,urk,vkk,vkt,xmm,zlm,zmi,zsm zh=cdo,cjy,cmn,cnp,cpx,csp,czh,czo,gan,hak,hsn,lzh,mnp,"
        "nan,wuu,yue kok=gom,knn lv=ltg,lvs sw=swc,swh uz=uzn,uzs "
    ).items()
    for language in languages.split(",")
}
"""Extended language subtags (RFC 5646, 2.2.2), each with its prefix: a language of its own, and a kind of that one."""


@lru_cache(1000)
def canonical_tag(tag: str) -> str:
    """The canonical form of a language tag or language range; a text that is neither is returned as it is."""
    # A replacement may make another one apply: `sgn-UK` is `sgn-GB`, which is `bfi`.
    while TAG.fullmatch(tag) and (better := _replace_subtags(tag.replace("_", "-").lower())) != tag:
        tag = better
    return tag


def _replace_subtags(tag: str) -> str:
    """One round of RFC 5646, 4.5, over a tag in lower case, with the conventional case of section 2.1.1."""
    if tag in WHOLE_TAGS or tag[1] == "-":
        return WHOLE_TAGS.get(tag, tag)
    language, *others = tag.split("-")
    if others and EXTENDED.get(others[0]) == language:
        language, *others = others
    end = next((position for position, part in enumerate(others) if len(part) == 1), len(others))
    spelled = [_spell_subtag(part) for part in others[:end]]
    return "-".join([LANGUAGES.get(language, language), *spelled, *_order_extensions(others[end:])])


def _spell_subtag(part: str) -> str:
    """A region in capitals, a script with a capital; `heploc` is the one variant that was replaced."""
    if len(part) == 2:
        return REGIONS.get(part, part).upper()
    if len(part) == 4 and part.isalpha():
        return part.title()
    return "alalc97" if part == "heploc" else part


def _order_extensions(parts: list[str]) -> list[str]:
    """Extensions in the order of their singletons; private use (x) is last, and what follows it is part of it."""
    extensions: list[list[str]] = []
    for part in parts:
        if len(part) == 1 and not (extensions and extensions[-1][0] == "x"):
            extensions.append([])
        extensions[-1].append(part)
    extensions.sort(key=lambda extension: (extension[0] == "x", extension[0]))
    return [part for extension in extensions for part in extension]


@lru_cache(1000)
def matching_ranges(tag: str) -> frozenset[str]:
    """The language ranges, in canonical form, that match a tag by basic filtering: the tag and each of its beginnings.

    A language of `EXTENDED` is found by its prefix too, as it is in the extlang form of RFC 5646, 4.5: what is in
    Cantonese, `yue`, by `zh`.
    """
    parts = canonical_tag(tag).split("-")
    ranges = frozenset("-".join(parts[:length]) for length in range(1, len(parts) + 1))
    return ranges | {EXTENDED[parts[0]]} if parts[0] in EXTENDED else ranges

"""Insults aimed at a person, and threats."""

from __future__ import annotations

import re

_ADDRESSED = {
    "ru": re.compile(
        r"\b(?:ты|вы|он|она|они|тебя|тебе|твоя|твой|твои|ваш\w*|эта|этот|эти|такая|такой|такие"
        r"|начальни\w+|начальств\w+|босс\w*|директор\w*|коллег\w+|сосед\w*|мать|мама|отец|папа"
        r"|тещ\w+|свекров\w+|жен[аы]|муж|бывш\w+|девушк\w+|баб[аы]|бабк\w+|мужик\w*|женщин\w+"
        r"|учител\w+|учительниц\w+|училк\w+|препод\w*|врач\w*|водител\w*|дет[ие]|студент\w*|клиент\w*|подписчик\w*"
        r"|читател\w*|пенсионер\w*|люди|народ|все|депутат\w*|президент\w*|блондинк\w+)\b"
    ),
    "en": re.compile(
        r"\b(?:you|youre|ur|your|yo|he|she|they|theyre|hes|shes|this guy|these people|people|boss"
        r"|coworker"
        r"|mother|mom|mum|dad|father|wife|husband|ex|girlfriend|boyfriend|teacher|neighbou?r"
        r"|women|woman|men|girls|guys|kids|everyone|president|doctor|driver|students?|mother in law"
        r"|customers?|followers|readers|subscribers|brother|sister|manager|colleague)\b"
    ),
}
_SELF = {
    "ru": re.compile(r"\b(?:я|мне|меня|мой мозг|мы|сам|себя)\b"),
    "en": re.compile(r"\b(?:i|im|me|my brain|my code|myself|we)\b"),
}
_SOFT = {
    "ru": re.compile(
        r"\b(?:дурак\w*|дура|дуры|дуру|дурой|дурни|идиот\w*|тупой|тупая|тупые|тупее|туп|тупа"
        r"|туп(?:ой|ая) как|лох|лохи|лохом|козел|козлы|козлина|свинья|свиньи|баран|бараны|осел"
        r"|овца|овцы|корова|коровы|крыса|крысы|тварь|твари|жирный|жирная|жирные|жируха|страшная"
        r"|уродлив\w+|лузер\w*|неудачни\w+|ничтожеств\w*|бездар\w+|безмозгл\w+|дебил\w*|клоун"
        r"|псих|психопат\w*|больной на голову|больная на голову|аутист\w*|инвалид\w*|алкаш\w*"
        r"|бомж\w*|нищеброд\w*|вонюч\w+|вонючк\w+|мерзк\w+|убог\w+|паразит\w*|крокодил|глупая"
        r"|глупый|глупые|курица|курицы|стерва|змея|гадина|гад|гады|болван\w*|остолоп\w*|олух\w*"
        r"|мусор|дно|чудовище|уроды?|дрянь|ведьма|старая карга|калек\w+)\b"
    ),
    "en": re.compile(
        r"\b(?:idiots?|stupid|dumb|dumbest|loser|losers|ugly|fat|pathetic|worthless|moron\w*"
        r"|clowns?|trash|garbage|pig|pigs|cow|rat|snake|creep|freak|jerk|jerks|psycho|disgusting"
        r"|useless|brainless|fool|fools|failure|crazy bitch|dummy|weirdo|lunatic|airhead|bimbo"
        r"|simpleton|nobody likes|smelly|stinks?|hideous|coward|parasite|parasites|vermin|liar"
        r"|cockroach\w*|disgrace|ignorant|incompetent|retarded|autistic|scum|wimp)\b"
    ),
}
_HARMLESS = re.compile(
    r"\bтуп(?:ой|ая|ые|ым|ого) (?:нож|угол|вопрос|шутк\w*|юмор|боль|карандаш|ножниц\w*|тариф"
    r"|сериал|комеди\w+|алгоритм|робот|бот)|глуп\w+ (?:вопрос\w*|шутк\w*|иде\w+|ошибк\w*|рекорд)"
    r"|(?:день|дня|дню) дурака|дурака вал\w+|валя\w+ дурака|без дураков|куриц\w+ (?:в|с|по|на|под"
    r"|гриль)"
    r"|(?:крыса|змея|свинья|корова|овца|осел|баран|козел|курица|крокодил)\w* (?:на|в|у|и|ест|спит"
    r"|съел\w*)"
    r"|(?:год|фото|видео|молоко|ферма|мем|маска|костюм) \w*(?:крыс|зме|свинь|коров|овц|козл"
    r"|куриц)\w*"
    r"|морская свинья|морская корова|жирн\w+ (?:йогурт|сыр|пятн\w+|кот|шрифт|сливк\w*|творог|минус"
    r"|плюс|кошк\w+)"
    r"|stupid (?:question\w*|alarm|phone|printer|idea\w*|deadline|computer|dance|mistake|password)"
    r"|dumb (?:question\w*|phone|phones|luck|idea\w*|joke\w*|waiter|bell\w*)|fat (?:cat|stacks"
    r"|content"
    r"|free|tuesday|burger|quarter)|ugly (?:sweater\w*|christmas|duckling|fruit|cry\w*|shoes|truth"
    r"|code)"
    r"|april fools?|fools? (?:day|gold|proof)|snake (?:game|plant|oil|year)|trash (?:can|bag|day"
    r"|bin|panda)"
    r"|garbage (?:collector|collection|truck|day|bag|can)|cow (?:milk|farm|bell)|rat race"
    r"|guinea pig\w*"
    r"|pig(?:gy)? bank|nobody likes (?:monday\w*|mondays|meetings|spam|rain|updates|queues)"
)
_THREATS = re.compile(
    r"\b(?:я|мы)?\s?(?:тебя|вас|тебе|вам|его|ее|их) (?:всех )?(?:убью|убьем|урою|уроем|закопаю"
    r"|закопаем|порву|прибью"
    r"|зарежу|зарежем|пристрелю|застрелю|покалечу|изобью|искалечу|сожгу|отравлю|придушу|задушу"
    r"|размажу|уничтожу|найду и|найдем и|замочу|прикончу|грохну)"
    r"|\b(?:убью|урою|закопаю|прибью|зарежу|пристрелю|застрелю|изобью|искалечу|прикончу|придушу"
    r"|задушу|замочу"
    r"|сожгу|уничтожу) (?:тебя|вас|твою|твоего|твоих|ваш\w+|его|ее|их|всех вас|эту тварь|всю твою)"
    r"|\b(?:тебе|вам) (?:конец|крышка|не жить|хана|капец)|ты (?:труп|покойник|не жилец|сдохнешь"
    r"|умрешь)"
    r"|\b(?:переломаю|оторву|вырву|сверну) (?:\w+ )?(?:ноги|руки|шею|пальцы|голову)"
    r"|\b(?:закопаю|урою|прибью|придушу|застрелю) (?:в|под|на|за) "
    r"|сдохни|сдохните|чтоб (?:ты|вы|он|она|они) (?:сдох\w*|умер\w*|подавил\w*)|убей себя|убейся"
    r"|убейтесь"
    r"|(?:я|мы) (?:знаю|знаем),? где (?:ты|вы|твои|твоя) (?:живешь|живете|дети|семья|учится)"
    r"|ходи и оглядывайся|пожалеешь,? что родил\w+|ноги (?:тебе|вам) (?:переломаю|сломаю|вырву)"
    r"|(?:тебе|вам) (?:ноги|голову|руки|шею|лицо|морду) (?:переломаю|сломаю|вырву|оторву|сверну"
    r"|разобью|набью)"
    r"|(?:голову|шею|руки|ноги) (?:оторву|сверну|переломаю|сломаю) (?:тебе|вам)|пулю в лоб"
    r"|(?:подожгу|взорву) (?:твой|вашу?|твою|ваши|твои|этот|эту|школу|офис|дом|машину|метро)"
    r"|\b(?:ill|i will|im going to|im gonna|we will|well|gonna|going to|i want to|i should|ima"
    r"|imma) (?:kill|murder|shoot"
    r"|stab|strangle|hurt|beat|burn|bury|poison|destroy|choke|end|break|find) "
    r"(?:you(?! (?:a|an|the|some|with kindness|at (?:chess|mario|tennis|scrabble)|in (?:chess"
    r"|mario|tennis|uno|fifa|a game))\b)"
    r"|(?:(?<=stab )|(?<=shoot ))(?:whoever|anyone|everyone|everybody|someone)"
    r"|him|her|them|your (?:family|kids|children|mother|face|house|legs|neck|dog))\b"
    r"|\byou(?:re| are) (?:dead meat|a dead man|going to die|gonna die|so dead|next on my list)"
    r"|kill yourself|kys"
    r"|(?:go|just) (?:die|kill yourself)(?:\W|$)|hope you (?:die|choke|rot|burn)"
    r"|drop dead(?! gorgeous)"
    r"|(?:i|we) know where you (?:live|sleep|work|park)|watch your back|sleep with one eye open"
    r"|you will (?:regret being born|pay with your|bleed|die)|(?:bomb|shoot up|burn down) (?:the"
    r"|your|this) "
    r"(?:school|office|house|building|place|mosque|church|hospital)|put a bullet in|slit your"
)
_NAME_IS = re.compile(
    r"\b([A-ZА-ЯЁ][a-zа-яё]+)(?:\s[A-ZА-ЯЁ][a-zа-яё]+){0,2}\s*(?:is(?: such)? an?|—|–|-)\s*"
    r"(?:\w+\s)?(?:(?:worthless|filthy|fat|stupid|lazy|ugly|disgusting)\s)?(idiot|loser|clown|fool|jerk|liar|pig|swine|moron|scum|creep|coward|cow|bitch"
    r"|корова|курица|змея|дурак|дура|идиот\w*|лох|козел"
    r"|козёл|свинья|баран|овца|тварь|клоун|неудачни\w+|ничтожество|бездарь|крыса|алкаш|псих)\b"
)
_SURNAME_IS = re.compile(
    r"\b([А-ЯЁ][а-яё]+(?:ов|ова|ев|ева|ин|ина|ский|ская|енко|чук|ян|вич|вна))(?:\s[\w-]+){1,4}"
    r"\s*[—–-]\s*(?:\w+\s)?(дурак|дура|идиот\w*|лох|козел|козёл|свинья|баран|овца|корова|тварь"
    r"|клоун|неудачни\w+|ничтожество|бездарь|крыса|алкаш|псих|змея|курица)\b"
)
_OF_A_PEOPLE = re.compile(
    r"\b(?:jews|muslims|christians|hindus|sikhs|gypsies|roma|blacks|whites|asians|arabs|africans"
    r"|indians|pakistanis|mexicans|poles|romanians|turks|russians|ukrainians|americans|germans"
    r"|aborigines|immigrants|migrants|refugees|foreigners|the (?:irish|chinese|french|english"
    r"|scots|welsh|japanese|polish|blacks))"
    r"(?:(?:\W+(?:are|is|all|just|only|nothing but|these|such|always|live|breed|lazy|filthy"
    r"|dirty|stinking|drunken|greedy|fat|like|a))+\W+"
    r"(?:animals|pigs|swine|rats|vermin|cockroach\w*|parasites?|savages|scum|subhuman\w*)"
    r"|\W+(?:all )?(?:stink|bleed us|breed like))\b"
    r"|\b(?:is an?|are|you|these|those) (?:filthy|worthless|disgusting|stinking) (?:\w+ )?"
    r"(?:parasite|swine|pig|rat|vermin|animal|savage)s?\b(?!-)"
    r"|\b(?:евреи|мусульмане|христиане|цыгане|кавказцы|таджики|узбеки|киргизы|азербайджанцы"
    r"|армяне|чеченцы|дагестанцы|китайцы|украинцы|русские|поляки|немцы|американцы|негры|арабы"
    r"|азиаты|мигранты|приезжие|беженцы|понаехавшие)"
    r"(?:(?:\W+(?:у нас|все|это|просто|одни|сплошные|как|опять|везде|грязные|вонючие|ленивые"
    r"|жадные|тупые|настоящие))+\W+"
    r"(?:тараканы|крысы|свиньи|животные|дикари|паразиты|твари|нелюди|недочеловеки|вырожденцы"
    r"|скот)|\W+(?:\w+ ){0,2}плодятся)\b"
)
NEAR = 5
"""How many words may stand between an insult and the person whom it is aimed at."""


def find_threat(text: str) -> str | None:
    """The first threat or wish of harm in `text` (plain letters); None when there is none."""
    match = _THREATS.search(re.sub(r"['’]", "", text))
    return match.group().strip() if match else None


def find_addressed_insult(text: str, written: str) -> str | None:
    """The first mild insult that is said of a people or of somebody other than the speaker.

    `text` is in plain letters, `written` as given (its capitals tell names). A mild insult of
    oneself («я дурак, купил абонемент») or of a thing (a stupid printer) is none.
    """
    if match := _NAME_IS.search(written) or _SURNAME_IS.search(written):
        return match.group(2).casefold()
    if match := _OF_A_PEOPLE.search(text):
        return match.group()
    for sentence in re.split(r"[.!?;\n]+", _HARMLESS.sub(" ", re.sub(r"['’]", "", text))):
        for language, soft in _SOFT.items():
            for insult in soft.finditer(sentence):
                if _aimed(sentence, insult, language):
                    return insult.group()
    return None


def _aimed(sentence: str, insult: re.Match[str], language: str) -> bool:
    before = " ".join(re.findall(r"\w+", sentence[: insult.start()])[-NEAR:])
    after = " ".join(re.findall(r"\w+", sentence[insult.end() :])[:2])
    persons = [m.end() for m in _ADDRESSED[language].finditer(before)]
    selves = [m.end() for m in _SELF[language].finditer(before)]
    if persons:
        return not selves or persons[-1] > selves[-1]
    return not selves and bool(_ADDRESSED[language].search(after))

"""Words to sing: small vocabularies in many languages, invented words, and vocables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Language:
    """A vocabulary and the eSpeak NG voices that read it."""

    voices: tuple[str, ...]
    words: tuple[str, ...]
    syllables_per_word: float


def _language(voices: str, words: str, syllables_per_word: float) -> Language:
    return Language(tuple(voices.split()), tuple(words.split()), syllables_per_word)


LANGUAGES: dict[str, Language] = {
    "English": _language(
        "en-us en en-gb-scotland en-029 en-gb-x-rp",
        """love you me baby night light heart away tonight never forever dream fire rain sky I want to feel the way
        hold my hand time goes by don't let go again home alone believe story tears smile dance with somebody running
        down road summer morning world is mine your eyes are shining like stars and burning money city walking talk
        break free wild young broken under water river mountain gonna wanna because nothing something every day""",
        1.35,
    ),
    "Spanish": _language(
        "es es-419",
        """amor corazón noche luna quiero bailar contigo siempre vida mi alma sin ti nunca más cielo sol fuego mar
        beso tu boca canción soñar camino solo mundo tiempo dime que sí volver llorar sangre libertad mañana ojos
        y el la de una para olvidar gente calle cuando vuelves""",
        2.0,
    ),
    "French": _language(
        "fr fr-be fr-ch",
        """amour toujours la nuit je t'aime mon coeur danse avec moi la vie en rose soleil pluie jamais encore une
        chanson le vent sur la mer rêve doux mes yeux dans tes bras reviens partir chemin liberté Paris le temps passe
        sans toi si belle pourquoi dis moi rien demain""",
        1.4,
    ),
    "German": _language(
        "de",
        """Liebe Nacht Herz ich will dich niemals verlieren wir tanzen durch die Straßen Sonne Regen Himmel mein Leben
        ohne dich bleib bei mir Träume fliegen weit weg Feuer und Licht Augen heute alles nur ein Wort Zeit Sehnsucht
        komm zurück Welt Freiheit Sterne""",
        1.55,
    ),
    "Italian": _language(
        "it",
        """amore mio cuore notte sole mare cielo voglio te sempre mai più vita bella canzone sogno ballare stella
        piangere ridere dimmi che non vai via con me il tempo passa strada vento libertà domani occhi""",
        2.0,
    ),
    "Portuguese": _language(
        "pt-br pt",
        """amor coração saudade noite lua mar vida canção dançar você meu bem nunca mais sol chuva sonho vento alma
        beijo quero cantar sorriso olhar tempo estrada amanhã felicidade tristeza""",
        2.2,
    ),
    "Polish": _language(
        "pl",
        """miłość serce noc gwiazdy kocham ciebie tańczyć deszcz słońce niebo moje życie sen droga wiatr oczy nigdy
        zawsze jutro dom wolność ogień woda świat""",
        1.8,
    ),
    "Dutch": _language(
        "nl",
        "liefde nacht hart ik wil jou altijd samen dansen regen zon hemel leven droom vuur ogen",
        1.4,
    ),
    "Swedish": _language(
        "sv",
        "kärlek natten hjärta jag vill ha dig alltid dansa regn sol himmel livet dröm eld ögon",
        1.6,
    ),
    "Finnish": _language(
        "fi",
        "rakkaus yö sydän minä haluan sinut aina tanssia sade aurinko taivas elämä uni tuli",
        2.3,
    ),
    "Turkish": _language(
        "tr",
        "aşk gece kalbim seni seviyorum gel gitme yağmur güneş hayat rüya ateş deniz bir daha",
        2.0,
    ),
    "Romanian": _language(
        "ro",
        "dragoste noapte inima mea te iubesc dansează ploaie soare viața vis foc ochii mereu",
        2.1,
    ),
    "Greek": _language(
        "el",
        "αγάπη νύχτα καρδιά μου σε θέλω πάντα χορεύω βροχή ήλιος ζωή όνειρο φωτιά μάτια",
        2.1,
    ),
    "Russian": _language(
        "ru",
        "любовь ночь сердце моё я тебя люблю всегда танцуй дождь солнце небо жизнь сон огонь",
        1.8,
    ),
    "Hindi": _language(
        "hi",
        "प्यार रात दिल मेरा तुम हमेशा नाचो बारिश सूरज आसमान ज़िंदगी सपना आग आँखें",
        1.9,
    ),
    "Indonesian": _language(
        "id",
        "cinta malam hatiku kamu selalu menari hujan matahari langit hidup mimpi api mata aku",
        2.1,
    ),
    "Mandarin": _language(
        "cmn",
        "我 爱 你 心 夜 里 月 亮 风 吹 过 想 念 永 远 不 要 离 开 梦 中 的 人 天 空 雨 下 花 开 时 间 走 了 眼 泪",
        1.0,
    ),
    "Japanese": _language(
        "ja",
        "あい よる こころ きみ を わすれない ゆめ そら あめ かぜ ひかり いつも うた なみだ ほし の なか",
        2.3,
    ),
    "Korean": _language(
        "ko",
        "사랑 밤 마음 너를 잊지마 꿈 하늘 비 바람 빛 언제나 노래 눈물 별 나의",
        1.8,
    ),
    "Swahili": _language(
        "sw",
        "upendo usiku moyo wangu wewe daima cheza mvua jua anga maisha ndoto moto macho",
        2.2,
    ),
    "Hungarian": _language(
        "hu",
        "szerelem éjszaka szívem téged akarlak mindig táncolj eső nap ég élet álom tűz",
        1.9,
    ),
    "Czech": _language(
        "cs",
        "láska noc srdce moje chci tě vždycky tančit déšť slunce nebe život sen oheň oči",
        1.6,
    ),
}  # fmt: skip
LANGUAGE_WEIGHTS = {"English": 9.0, "Spanish": 3.0, "French": 2.5, "Mandarin": 2.0, "German": 1.5, "Italian": 1.5}

VOCABLES = ("la", "na", "ooh", "aah", "hey", "yeah", "oh", "doo", "da", "woah", "mmm", "lie", "hoo")
ONSETS = (
    "", "b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "y", "z", "sh", "ch", "tr", "st", "bl",
)  # fmt: skip
NUCLEI = ("a", "e", "i", "o", "u", "ai", "ou", "ee", "oo", "ea")
CODAS = ("", "", "", "n", "m", "s", "r", "l", "t", "k", "nd")


def draw_language(rng: np.random.Generator) -> str:
    """A language's name, the commoner ones in pop songs more often."""
    weights = np.array([LANGUAGE_WEIGHTS.get(name, 0.7) for name in LANGUAGES])
    return str(rng.choice(list(LANGUAGES), p=weights / weights.sum()))


def draw_line(rng: np.random.Generator, language: Language, syllables: int) -> str:
    """A line of about `syllables` syllables."""
    kind = rng.random()
    if kind < 0.08:
        vocable = str(rng.choice(VOCABLES))
        return " ".join([vocable] * syllables)
    if kind < 0.12:
        return " ".join(str(word) for word in rng.choice(VOCABLES, syllables))
    if kind < 0.2:
        return " ".join(_invented_word(rng) for _ in range(max(1, round(syllables / 2))))
    count = max(1, round(syllables / language.syllables_per_word))
    return " ".join(str(word) for word in rng.choice(language.words, count))


def _invented_word(rng: np.random.Generator) -> str:
    """Two syllables that mean nothing."""
    return "".join(str(rng.choice(ONSETS)) + str(rng.choice(NUCLEI)) + str(rng.choice(CODAS)) for _ in range(2))

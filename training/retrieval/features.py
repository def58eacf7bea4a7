"""What the ranker sees of each candidate, for every query of an archive: arrays [queries, passages]."""

import numpy as np

from lists import corrected, mixed, whitening

K = 200
LISTS = ["words", "words_in_context", "meaning", "meaning_in_context"]


def best(scores, allowed, count):
    scores = np.where(allowed, scores, -np.inf)
    if count >= scores.shape[1]:
        return allowed
    edge = -np.partition(-scores, count - 1, axis=1)[:, count - 1 : count]
    return (scores >= edge) & allowed


def standard(scores, candidates):
    """z-scores over each row's candidates, 0 elsewhere."""
    total = np.maximum(candidates.sum(1, keepdims=True), 1)
    scores = np.where(candidates, scores, 0.0)
    centred = np.where(candidates, scores - scores.sum(1, keepdims=True) / total, 0.0)
    return (centred / np.maximum(np.sqrt((centred**2).sum(1, keepdims=True) / total), 1e-6)).astype(np.float32)


def candidates_of(archive, lists, k=K):
    allowed = [archive.open & (lists[0] > 0), archive.open & (lists[1] > 0), archive.open, archive.open]
    found = np.logical_or.reduce([best(s, a, k) for s, a in zip(lists, allowed)])
    turn = archive.passages.turn  # all passages of a candidate message
    by_turn = np.zeros((len(found), turn.max() + 1), bool)
    rows, columns = np.nonzero(found)
    by_turn[rows, turn[columns]] = True
    return by_turn[:, turn] & archive.open, [best(s, a, k) for s, a in zip(lists[:2], allowed[:2])]


def shifted(table, index):
    """Each passage's neighbour's value, 0 where there is none."""
    padded = np.concatenate([table, np.zeros((len(table), 1), table.dtype)], 1)
    return padded[:, index]


def z_lists(archive, prior, gate=30.0, k=K, power=0.25):
    """The candidates, z-scores of the four lists (words, words in context, meaning, meaning in context), and
    raw scores of use to others."""
    correction = whitening(archive, prior, power)
    q = corrected(archive.asked, correction)
    weight = gate / (gate + archive.passages.length)
    m, mc = q @ archive.statics.T, q @ mixed(archive, weight).T
    candidates, returned = candidates_of(archive, [archive.by_words, archive.by_words_in_context, m, mc], k)
    out = {}
    for name, scores, mask in zip(LISTS[:2], (archive.by_words, archive.by_words_in_context), returned):
        lowest = np.where(mask, scores, np.inf).min(1, keepdims=True)
        full = mask.sum(1, keepdims=True) >= k
        out[name] = standard(np.where(mask, scores, np.where(full, lowest, 0.0)), candidates)
    out["meaning"], out["meaning_in_context"] = standard(m, candidates), standard(mc, candidates)
    return candidates, out, correction, q


def today(archive, z):
    """The fixed weights that stand: fusion.rs."""
    share = 0.5 * 80 / (80 + archive.passages.length)
    words = (1 - share) * z["words"] + share * z["words_in_context"]
    meaning = 0.15 * z["meaning"] + 0.85 * z["meaning_in_context"]
    return {"words": words, "static": z["meaning"], "context": z["meaning_in_context"], "hybrid": 0.35 * words + 0.65 * meaning}


def of(archive, prior, gate=30.0):
    """Candidates, {feature: [queries, passages]}, and the fixed hybrid."""
    candidates, z, correction, q = z_lists(archive, prior, gate)
    base = today(archive, z)["hybrid"]
    f = dict(z)
    p = archive.passages
    short = (30 / (30 + p.length))[None, :].astype(np.float32)
    for name in LISTS:
        f[f"{name}*short"] = z[name] * short
    f["words_around"] = standard(archive.by_words_around, candidates)
    qp = corrected(archive.asked_as_passage, correction)
    f["meaning_as_passage"] = standard(qp @ archive.statics.T, candidates)
    weight = 30 / (30 + p.length)
    f["context_as_passage"] = standard(qp @ mixed(archive, weight).T, candidates)
    up = {name: np.maximum(np.where(candidates, z[name], 0.0), 0.0) for name in ("words", "meaning")}
    upbase = np.maximum(np.where(candidates, base, 0), 0)
    before2, after2 = shift2(archive.previous), shift2(archive.next)
    isq = archive.question[None, :].astype(np.float32)
    for name, table in {**up, "base": upbase}.items():
        f[f"previous_{name}"] = shifted(table, archive.previous)
        f[f"next_{name}"] = shifted(table, archive.next)
        f[f"further_{name}"] = shifted(table, before2) + shifted(table, after2)
    f["previous_question_meaning"] = shifted(up["meaning"] * isq, archive.previous)
    f["previous_question"] = np.broadcast_to(shifted(isq, archive.previous), base.shape)
    f["question"] = np.broadcast_to(isq, base.shape)
    f["speaker_named"] = np.maximum(archive.named, 0)
    f["speaker_other"] = np.maximum(-archive.named, 0)
    f["covered"], f["covered_in_context"] = archive.covered, archive.covered_in_context
    f["length"] = np.broadcast_to(np.log1p(p.length)[None, :], base.shape)
    f["very_short"] = np.broadcast_to((5 / (5 + p.length))[None, :], base.shape)
    f["session"] = session_level(archive, candidates, base)
    f["feedback"] = feedback(archive, candidates, base, q)
    f = {name: np.where(candidates, table, 0).astype(np.float32) for name, table in f.items()}
    return candidates, f, base


def shift2(index):
    """The neighbour's neighbour."""
    return np.where(index >= 0, np.append(index, -1)[index], -1)


def session_level(archive, candidates, base, top=3):
    """Mean of the session's best `top` candidates' base score but the passage's own, above 0."""
    out = np.zeros_like(base)
    order = np.argsort(archive.session, kind="stable")
    starts = np.flatnonzero(np.diff(np.append(-1, archive.session[order])))
    groups = np.split(order, starts[1:])
    up = np.maximum(np.where(candidates, base, 0), 0)
    for group in groups:
        part = up[:, group]
        n = min(top + 1, len(group))
        high = -np.sort(-part, 1)[:, :n]
        if high.shape[1] < top + 1:
            high = np.pad(high, ((0, 0), (0, top + 1 - high.shape[1])))
        total, least = high[:, :top].sum(1, keepdims=True), high[:, top - 1 : top]
        # without the passage itself: where it is among the top, the next takes its place
        within = part >= least
        out[:, group] = np.where(within, total - part + high[:, top : top + 1], total) / top
    return out


def feedback(archive, candidates, base, q, top=5, share=0.5):
    """z-scores of the query moved towards its best passages (Rocchio)."""
    scores = np.where(candidates, base, -np.inf)
    rows = np.argsort(-scores, 1)[:, :top]
    centre = archive.statics[rows].mean(1)
    centre /= np.linalg.norm(centre, axis=1, keepdims=True)
    # moved by the corrected query's own scale; the mean passage is taken out so that it does not pull to the middle
    centre -= archive.statics.mean(0)
    centre /= np.maximum(np.linalg.norm(centre, axis=1, keepdims=True), 1e-6)
    moved = q + share * centre
    return standard(moved @ archive.statics.T, candidates)


def around(archive, candidates, base, window, top=3, self_out=True):
    """Mean of the best `top` base scores, above 0, among the `window` passages to either side in the session."""
    up = np.maximum(np.where(candidates, base, 0), 0).astype(np.float32)
    padded = np.concatenate([up, np.zeros((len(up), 1), np.float32)], 1)
    count = up.shape[1]
    best = [np.zeros_like(up) for _ in range(top)]
    for step in (archive.previous, archive.next):
        index = np.arange(count)
        step = np.append(step, -1)
        for _ in range(window):
            index = step[index]
            if (index < 0).all():
                break
            value = padded[:, index]
            for slot in range(top):
                high = np.maximum(best[slot], value)
                value = np.minimum(best[slot], value)
                best[slot] = high
    return sum(best) / top

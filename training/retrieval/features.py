"""The candidates of every query of an archive and the fixed fusion of their scores, as fusion.rs has them."""

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


def z_lists(archive, prior, gate=30.0, k=K, power=0.25, adapt=None):
    """The candidates, z-scores of the four lists (words, words in context, meaning, meaning in context), and
    raw scores of use to others. `adapt` changes the vectors of the fourth list."""
    correction = whitening(archive, prior, power)
    q = corrected(archive.asked, correction)
    context = mixed(archive, gate / (gate + archive.passages.length))
    m, mc = q @ archive.statics.T, q @ (adapt(context) if adapt else context).T
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

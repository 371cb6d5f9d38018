"""What a comparison of recipes measures on held-out images."""

from __future__ import annotations

from torch import Tensor

from training.evaluation.embedding_table import EmbeddingTable
from training.evaluation.pairs import same_and_different
from training.evaluation.retrieval import judge_retrieval, score_leave_one_out
from training.evaluation.verification import area_under_curve


def judge_similarity(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Return R@1, R@5, MAP@R (Musgrave et al., ECCV 2020) and the AUC of all pairs.

    ``embeddings`` are unit vectors ``(N, D)``; every image asks all the others.
    """
    names = tuple(map(str, range(int(labels.max()) + 1)))
    keys = tuple(map(str, range(len(labels))))
    table = EmbeddingTable(embeddings.numpy(), labels.numpy(), keys, names)
    retrieval = judge_retrieval(score_leave_one_out(table))
    recall = {found.k: found.recall.value for found in retrieval.recall_at}
    same, _, different = same_and_different(table.embeddings, table.labels)
    return {
        "R@1": recall[1],
        "R@5": recall[5],
        "MAP@R": retrieval.map_at_r.value,
        "AUC": area_under_curve(same.astype(float), different.astype(float)),
    }

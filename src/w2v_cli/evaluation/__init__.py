"""Scores of word vectors on evaluation sets: analogies answered, similarities ranked, with confidence intervals.

Takes vectors and sets, gives scores. Begin with `metrics`; `sets` reads the sets, `compare` scores several files side
by side, `per_epoch` scores a training while it runs.
"""

from w2v_cli.evaluation.compare import EvaluationOptions, Score, ScoreRow, score_files
from w2v_cli.evaluation.metrics import analogy_accuracy, similarity_correlation
from w2v_cli.evaluation.per_epoch import EVALUATOR, Evaluator, SetScore, contents_by_name
from w2v_cli.evaluation.sets import (
    EvaluationSet,
    changed_files,
    named_sets,
    read_analogy_questions,
    read_sets,
    read_word_pairs,
)

__all__ = [
    "EVALUATOR",
    "EvaluationOptions",
    "EvaluationSet",
    "Evaluator",
    "Score",
    "ScoreRow",
    "SetScore",
    "analogy_accuracy",
    "changed_files",
    "contents_by_name",
    "named_sets",
    "read_analogy_questions",
    "read_sets",
    "read_word_pairs",
    "score_files",
    "similarity_correlation",
]

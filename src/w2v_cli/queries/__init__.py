"""Queries of word vectors: neighbours, analogies, sums, similarities and the odd one out.

Takes KeyedVectors and questions, gives words with scores. Begin with `search`; `word_vectors` is the public class.
"""

from w2v_cli.queries.compare import Answer, ask_files, measure_files, shared_words
from w2v_cli.queries.expression import Sum, parse_sum
from w2v_cli.queries.rows import FloatArray, WordIds, iterate_float32, read_rows, read_unit_rows, unit
from w2v_cli.queries.search import (
    MUL_EPSILON,
    QUESTIONS_AT_ONCE,
    AnalogyMethod,
    Neighbour,
    Search,
    allowed_rows,
    answer_all,
    odd_one_out,
    plain_vector,
    similarity,
    sum_scorer,
    unit_vector,
)
from w2v_cli.queries.top_k import nearest
from w2v_cli.queries.word_vectors import WordVectors, load

__all__ = [
    "MUL_EPSILON",
    "QUESTIONS_AT_ONCE",
    "AnalogyMethod",
    "Answer",
    "FloatArray",
    "Neighbour",
    "Search",
    "Sum",
    "WordIds",
    "WordVectors",
    "allowed_rows",
    "answer_all",
    "ask_files",
    "iterate_float32",
    "load",
    "measure_files",
    "nearest",
    "odd_one_out",
    "parse_sum",
    "plain_vector",
    "read_rows",
    "read_unit_rows",
    "shared_words",
    "similarity",
    "sum_scorer",
    "unit",
    "unit_vector",
]

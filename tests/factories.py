"""What many tests are made of: configs by the short names of settings."""

from w2v_cli.config.schema import Config
from w2v_cli.queries.expression import Sum, Term
from w2v_cli.queries.search import Search, answer_all

_SECTION_OF = {
    name: section for section, field in Config.model_fields.items() for name in field.annotation.model_fields
}


def config_of(**settings):
    """Return a config of these settings, each by the last part of its key; `output` is the vectors' path.

    >>> config_of(dim=8, epochs=3).model.dim
    8
    """
    values = {}
    for name, value in settings.items():
        key = {"output": "path"}.get(name, name)
        if key in {"source", "path"} and value is not None:
            value = str(value)  # noqa: PLW2901  a Path is a setting's text
        values.setdefault(_SECTION_OF[key], {})[key] = value
    return Config.model_validate(values)


def similar(word_vectors, word, **options):
    """Return the neighbours of a word; the options are those of Search."""
    [answers] = answer_all(word_vectors, [Sum(word, (Term(word, 1),))], Search(**options))
    return answers


def analogy(word_vectors, a, b, c, **options):
    """Return the answers to "a is to b as c is to …"; the options are those of Search, 5 answers unless they say."""
    [answers] = answer_all(word_vectors, [Sum.of_analogy(a, b, c)], Search(**{"top": 5} | options))
    return answers

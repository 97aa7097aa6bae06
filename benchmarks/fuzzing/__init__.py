"""Random and mutated bytes for everything of w2v that reads bytes; `benchmarks/fuzz.py` runs it."""

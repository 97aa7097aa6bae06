"""Settings: YAML, environment and options become one checked `Config`.

Begin with `schema`, which declares every setting, then `resolve`, which merges the layers.
"""

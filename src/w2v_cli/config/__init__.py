"""Settings: YAML, environment and options become one checked `Config`.

Takes options, `--set`, environment variables, a YAML file and a corpus's entry in the table of datasets; gives one
validated `Config`, or one error with every problem. Begin with `schema`, which declares every setting; `layers` brings
the sources to one shape, `resolve` merges them.

Other packages import the modules directly, because this package exports nothing: `shipped` and `yaml` are light, and
`schema`, `resolve`, `layers` and `keywords` load pydantic.
"""

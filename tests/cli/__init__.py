"""The command line, run as a process of its own: a package, for its conftest.py is not the only one."""

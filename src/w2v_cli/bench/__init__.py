"""A comparison of w2v with other trainers: from a corpus and settings to speed, memory and quality of each.

All train on the same words with the same settings, in turns, each in a process of its own. Begin with `comparison`;
`trial` names the trainers, `running` runs them, `worker` is the process of a trial, `report` sums up. Import the
modules by name: only `w2v bench` uses them.
"""

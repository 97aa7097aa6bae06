"""Our algorithms beside the other trainers that pip installs: the same text and settings, in turns, in one run."""

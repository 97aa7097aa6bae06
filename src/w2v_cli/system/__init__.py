"""The machine and its files: files written whole, locks, compression, memory limits, prefetching threads.

Takes paths and streams of bytes, knows nothing of words. Begin with `files`.
"""

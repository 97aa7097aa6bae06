"""The machine and its files: takes paths and streams of bytes, and knows nothing of words.

Begin with `files`, which writes files whole. Import the modules directly, because the start of a command needs only
`machine`: `compression` loads four codecs and `disk_array` NumPy. `file_types` is the table
of magic numbers, `locks` guards an output, `network` repeats what may fail, `prefetch` works ahead in threads.
"""

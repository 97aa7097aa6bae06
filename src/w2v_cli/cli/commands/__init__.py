"""The commands, a file each: they read options, call the library and write the result."""

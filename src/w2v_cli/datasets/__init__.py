"""Named texts and evaluation sets: takes a name, gives verified files in the data folder.

Begin with `registry`, which reads datasets.yaml and decides what to do with each file; `download` fetches one file,
`demo` writes the built-in text. Other packages import the module `registry` and call `registry.find`, `registry.locate`
and their kind; Requests is loaded only by a download.
"""

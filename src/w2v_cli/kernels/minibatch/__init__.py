"""The minibatch algorithm, the book's. Begin with `reference`."""

"""The minibatch algorithm, the book's. Begin with `reference`, the equations; `adam` has the optimiser's."""

"""A GPU's proof: does it compute what the reference does, how well does it train, and how fast."""

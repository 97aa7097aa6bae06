"""The block algorithm: consecutive centres share negatives. Begin with `reference`; the other engines are its twins."""

"""The training loop: schedule, progress, early stopping, snapshots and resuming.

Takes encoded text and matrices, gives trained matrices. Begin with `loop`.
"""

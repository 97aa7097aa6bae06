"""Training on a Dask cluster: shards go to workers, their changes are merged in a fixed order.

Begin with `trainer`, one round; `pool` runs tasks, `connect` joins a cluster.
"""

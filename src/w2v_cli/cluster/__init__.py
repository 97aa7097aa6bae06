"""Training on a Dask cluster: workers count a text and train its shards, and their changes are merged in a fixed order.

Takes a config with a cluster and the places of a text; gives a corpus whose text stays with the workers, and a trainer
that the training loop drives. Begin with `trainer`, one round; `tasks` is what runs on a worker, `pool` runs tasks.

Nothing is exported here, since `local` must stay light: it is imported before it is known whether there is a cluster.
Others import `connect.open_cluster`, `pool.Cluster`, `pool.ClusterJoined`, `pool.WorkerLost`, `scan.scan_on`,
`scan.refuse_stdin`, `trainer.ClusterTrainer`, `trainer.resolve_on` and `local.end_if_worker`.
"""

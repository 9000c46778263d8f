"""Dask clusters: which one to use, the connection to it, and one task at a time for each worker."""

from milpcount.cluster.dask_cluster import DaskCluster

__all__ = ["DaskCluster"]

"""How the runs of a study are carried out: here, in processes, on a cluster."""

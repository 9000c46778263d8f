"""The configuration of a study: its files, its schema, and the runs that it means."""

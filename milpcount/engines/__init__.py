"""The engines: their table (:mod:`.registry`), and those that solvers drive."""

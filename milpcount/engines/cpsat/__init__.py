"""CP-SAT proposes patterns, exact linear programmes accept or explain."""

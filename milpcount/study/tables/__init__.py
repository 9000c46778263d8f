"""Tables of a study: pure functions of the stored runs."""

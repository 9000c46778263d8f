"""Plain help for every room: decimal text, file locks, child processes, the version."""

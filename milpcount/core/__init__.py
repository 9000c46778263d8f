"""What all rooms speak: networks, domains, patterns, points, problems, runs and results."""

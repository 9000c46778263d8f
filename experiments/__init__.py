"""Paper artefacts."""

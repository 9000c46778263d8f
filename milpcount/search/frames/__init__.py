"""Frames: the unit cubes in which a problem is searched, one for a box, several for a cone."""

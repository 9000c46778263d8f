"""Certificates of counts and their checker, which shares no code with the engines."""

"""The version, kept apart so that result files can name it without importing the package."""

__version__ = "0.1.0"

"""Running a search: in one go, in portions that workers share, and from a file that keeps them."""

"""The version of this library: the one place where it is written."""

__all__ = ["full_version", "major", "minor", "patch"]

full_version = "0.1.0"
major, minor, patch = full_version.split(".")

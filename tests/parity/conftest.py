"""The mark of the parity tests."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register `ours`: a test that holds for dualgraph and, on purpose, not for Paddle."""
    config.addinivalue_line("markers", "ours(reason): dualgraph differs from Paddle on purpose")

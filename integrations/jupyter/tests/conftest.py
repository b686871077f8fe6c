"""Lets the tests import month.py, also from another folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

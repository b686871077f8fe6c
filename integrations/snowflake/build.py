"""Puts tableau_webhooks.py into each procedure of setup.sql: python build.py"""

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
BODY = re.compile(r"^as\n\$\$\n(.*?)^\$\$;$", re.DOTALL | re.MULTILINE)

if __name__ == "__main__":
    sql = FOLDER / "setup.sql"
    body = (FOLDER / "tableau_webhooks.py").read_text(encoding="utf-8")
    sql.write_text(BODY.sub(lambda _: f"as\n$$\n{body}$$;", sql.read_text(encoding="utf-8")), encoding="utf-8")

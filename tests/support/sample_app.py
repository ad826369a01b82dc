"""Changed copies of the sample application, to be released."""

from __future__ import annotations

import shutil
from pathlib import Path

from laptop import ROOT, Variables

APP = ROOT / "roles" / "lamp" / "files" / "app"


def changed_app(folder: Path, head: str = "") -> Variables:
    """Copy the application into `folder`, with `head` before its page; return the variables that release the copy."""
    app = shutil.copytree(APP, folder / "app")
    page = app / "public" / "index.php"
    page.write_text(f"{page.read_text()}<!-- {folder} -->\n")
    page.write_text(page.read_text().replace("<?php\n\ndeclare(strict_types=1);", f"{head}<?php", 1))
    return {"lamp_sites": [{"name": "app", "web_root": "public", "source": {"path": str(app)}}]}

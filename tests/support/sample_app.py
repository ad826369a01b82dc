"""Changed copies of the sample application, to be released."""

from __future__ import annotations

import shutil
from pathlib import Path

from laptop import ROOT, Variables

# Its own server finds nothing wrong with it: only who comes through the balancer does.
BROKEN = "<?php if ($_SERVER['REMOTE_ADDR'] !== '127.0.0.1') { http_response_code(500); exit; } ?>"
APP = ROOT / "roles" / "lamp" / "files" / "app"


def changed_app(folder: Path, head: str = "") -> Variables:
    """Copy the application into `folder`, with `head` before its page; return the variables that release the copy."""
    app = shutil.copytree(APP, folder / "app")
    page = app / "public" / "index.php"
    page.write_text(f"{page.read_text()}<!-- {folder} -->\n")
    page.write_text(page.read_text().replace("<?php\n\ndeclare(strict_types=1);", f"{head}<?php", 1))
    return {"lamp_sites": [{"name": "app", "web_root": "public", "source": {"path": str(app)}}]}

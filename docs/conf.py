"""Sphinx' settings for the site of the documentation. `tools/docs` builds it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

CHECKOUT = Path(os.environ["GROUNDWORK_CHECKOUT"])
REPOSITORY = "https://github.com/groundwork/groundwork.aws/blob/main"
LINK = re.compile(r"\]\((?!https?:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
REFERENCE = {r"roles/(\w+)/README\.md": "role", r"plugins/modules/(\w+)\.py": "module"}
# What Sphinx needs and GitHub would show: the pages that belong to a page.
TABLES = {"decisions/README": "\n```{toctree}\n:hidden:\n:glob:\n\n0*\n```\n"}

project = "groundwork.aws"
copyright = "The groundwork.aws developers"  # noqa: A001 - the name that Sphinx reads
extensions = ["myst_parser", "sphinx_antsibull_ext"]
exclude_patterns = ["site"]
html_theme = "furo"
html_title = "groundwork.aws"
html_show_sphinx = False
html_copy_source = False
pygments_style = "ansible"
highlight_language = "text"
myst_heading_anchors = 4
# What is in the documentation of Ansible and of other collections is not looked for: no network is needed.
nitpick_ignore_regex = [
    ("std:ref", "action_plugins|ansible_configuration_settings|common_return_values"),
    ("std:ref", r"ansible_collections\.(amazon\.aws|ansible\.builtin|community\.aws)\..*"),
]


def target(page: Path, path: str) -> str:
    """Return what a link of `page` to `path` leads to on the site. Raise FileNotFoundError if there is no such file."""
    file = Path(os.path.normpath(page.parent / path))
    if not file.exists():
        raise FileNotFoundError(path)
    name = str(file.relative_to(CHECKOUT))
    for pattern, kind in REFERENCE.items():
        if found := re.fullmatch(pattern, name):
            return f"/reference/{found[1]}_{kind}.rst"
    return path if name.startswith("docs/") and file.suffix in (".md", ".svg") else f"{REPOSITORY}/{name}"


def lead_links(_app: Sphinx, document: str, source: list[str]) -> None:
    """Lead links to files that are not pages of the site to the reference, or to the repository."""
    page = CHECKOUT / "docs" / f"{document}.md"
    if not page.exists():
        return

    def led(link: re.Match[str]) -> str:
        try:
            return f"]({target(page, link['path'])}{link['anchor'] or ''})"
        except FileNotFoundError:
            getLogger(__name__).warning("%s does not exist", link["path"], location=document)
            return link[0]

    source[0] = LINK.sub(led, source[0]) + TABLES.get(document, "")


def setup(app: Sphinx) -> None:
    """Register what is ours."""
    app.connect("source-read", lead_links)

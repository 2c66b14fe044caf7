"""Sphinx: the pages of this folder, and a reference generated from the registry before they are read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import reference

from holdwater import __version__

project = "Holdwater"
author = "Holdwater"
version = release = __version__
extensions = ["myst_parser", "charts", "olist"]
html_theme = "furo"
html_title = "Holdwater"
html_static_path = ["static"]
html_css_files = ["equations.css"]
html_show_copyright = False
exclude_patterns = ["build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3


def setup(app: Any) -> None:
    app.connect("builder-inited", lambda app: reference.write(Path(app.srcdir) / "reference"))

"""`python -m holdwater`: the command line, where the folder of its script is not searched."""

from __future__ import annotations

from holdwater.cli import main

raise SystemExit(main())

"""The commands that bring the formulas into a spreadsheet program, and say what is installed."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from holdwater.commands.extras import needs
from holdwater.errors import UsageError


def lite(arguments: argparse.Namespace) -> None:
    from holdwater.hosts.lite import write

    write(arguments.folder)
    print(f"Written: main.py and requirements.txt in {arguments.folder.resolve()}")
    print("Next: in the editor of xlwings Lite, add the lines of requirements.txt to the tab of that name, and put")
    print("those of main.py in the place of what stands in its tab; then type =LTV(30, 0.04) into a cell: 750.")


def calc(arguments: argparse.Namespace) -> None:
    from holdwater.hosts.calc import build

    build(arguments.out)
    print(f"Add-in written: {arguments.out.resolve()}")
    print("Next: in LibreOffice, Tools > Extensions > Add, choose this file, and start LibreOffice again.")


def excel(arguments: argparse.Namespace) -> None:
    with needs("excel"):
        from holdwater.hosts import excel as host

        if (arguments.action == "build") != (arguments.out is not None):
            raise UsageError("OUT.xlam belongs to build, and only to it: holdwater excel build OUT.xlam.")
        if arguments.action == "build":
            host.build(arguments.out)
            print(f"Add-in written: {arguments.out.resolve()}; it runs on this machine only, with this Python.")
        elif arguments.action == "install":
            print(f"Installed: {host.install()}")
            print("Next: start Excel again and type =LTV(30, 0.04) into a cell; it shows 750.")
        elif arguments.action == "uninstall":
            print("Removed; start Excel again." if host.uninstall() else "It was not installed.")
        else:
            now = host.status()
            if not now.installed:
                print(f"It is not installed ({now.path}): run holdwater excel install.")
            elif now.current:
                print(f"Installed and current: {now.path}")
            else:
                print(f"Installed, but for another Holdwater or Python: {now.path}; run holdwater excel install.")


def doctor(arguments: argparse.Namespace) -> None:
    from holdwater.doctor import as_text, findings

    found = findings()
    print(json.dumps([asdict(finding) for finding in found], indent=2) if arguments.json else as_text(found))

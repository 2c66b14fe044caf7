"""What our functions cost in Calc, as a ratio to the cheapest add-in function there can be, in one run."""

from __future__ import annotations

import zipfile
from pathlib import Path

from calc_office import running_calc
from ratios import Goal

from holdwater.hosts.calc import build
from holdwater.hosts.calc_texts import ADD_IN, components, manifest

SCALAR = Goal("10,000 calls of LTV in Calc", "times the time of a do-nothing add-in function", "LibreOffice", at_most=2)
CALLS = 10_000
NAME = "org.example.Nothing"
NOTHING = f"""
import uno, unohelper

class Nothing(unohelper.Base, uno.getClass("org.example.XNothing")):
    def __init__(self, context):
        pass

    def nothing(self, a, b):
        return 0.0

g_ImplementationHelper = unohelper.ImplementationHelper()
g_ImplementationHelper.addImplementation(Nothing, "{NAME}", ("{NAME}", "com.sun.star.sheet.AddIn"))
"""
TYPES = "module org { module example { interface XNothing { double nothing([in] any a, [in] any b); }; }; };"
NAMES = f"""<?xml version="1.0"?>
<oor:component-data xmlns:oor="http://openoffice.org/2001/registry" oor:name="CalcAddIns"
    oor:package="org.openoffice.Office">
  <node oor:name="AddInInfo"><node oor:name="{NAME}" oor:op="replace"><node oor:name="AddInFunctions">
    <node oor:name="nothing" oor:op="replace">
      <prop oor:name="DisplayName"><value xml:lang="en">NOTHING</value></prop>
    </node>
  </node></node></node>
</oor:component-data>"""


def do_nothing(out: Path) -> Path:
    files = {
        "META-INF/manifest.xml": manifest(),
        "holdwater.idl": TYPES,
        "holdwater.components": components("nothing.py").replace(ADD_IN, NAME),
        "CalcAddIns.xcu": NAMES,
        "nothing.py": NOTHING,
    }
    with zipfile.ZipFile(out, "w") as container:
        for name, text in files.items():
            container.writestr(name, text)
    return out


def test_ten_thousand_calls_take_at_most_twice_as_long_as_those_of_a_function_that_does_nothing(tmp_path: Path) -> None:
    build(tmp_path / "holdwater.oxt")
    with running_calc(tmp_path, [tmp_path / "holdwater.oxt", do_nothing(tmp_path / "nothing.oxt")]) as calc:
        times = calc.ask("seconds", ["=LTV(A1;B1)", "=NOTHING(A1;B1)"], CALLS, 15)
    SCALAR.measured(ours / nothing for ours, nothing in times)

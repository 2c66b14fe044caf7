"""The description files of the Calc add-in, written from the registry: what Calc shows in its function wizard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from holdwater.formula import Argument, Formula

ADD_IN = "org.holdwater.Functions"
INTERFACE = "org.holdwater.XFunctions"
IDENTIFIER = "org.holdwater.calc"
CATEGORY = "Add-In"  # the only one of Calc's own categories that is meant for functions from elsewhere

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_MEDIA_TYPES = {
    "holdwater.idl": "application/vnd.sun.star.uno-typelibrary;type=RDB",
    "holdwater.components": "application/vnd.sun.star.uno-components",
    "CalcAddIns.xcu": "application/vnd.sun.star.configuration-data",
}


def inner_name(name: str) -> str:
    """allowable_cac as allowableCac: the office's own language of types knows no underscores."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def methods(functions: Mapping[str, Formula]) -> str:
    """For the module, a line for each method: its name, the function, cells of a row, and if it gathers arguments."""
    return "".join(
        f"{inner_name(f.name)} {f.excel_name} {len(f.row or f.columns) or 1}{' gathers' if f.gathers else ''}\n"
        for f in functions.values()
    )


def manifest() -> str:
    entries = "".join(
        f'  <manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>\n'
        for path, kind in _MEDIA_TYPES.items()
    )
    root = 'manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest"'
    return f"{_XML}<{root}>\n{entries}</manifest:manifest>\n"


def description(version: str) -> str:
    return f"""{_XML}<description xmlns="http://openoffice.org/extensions/description/2006">
  <identifier value="{IDENTIFIER}"/>
  <version value="{version}"/>
  <dependencies>
    <LibreOffice-minimal-version xmlns="http://libreoffice.org/extensions/description/2011"
        value="25.2" name="LibreOffice 25.2"/>
  </dependencies>
  <display-name><name lang="en">Holdwater</name></display-name>
  <extension-description>
    <src xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="description.txt" lang="en"/>
  </extension-description>
</description>
"""


def components(module: str) -> str:
    """The office loads `module` when a function is first needed."""
    return f"""{_XML}<components xmlns="http://openoffice.org/2010/uno-components">
  <component loader="com.sun.star.loader.Python" uri="{module}">
    <implementation name="{ADD_IN}">
      <service name="{ADD_IN}"/>
      <service name="com.sun.star.sheet.AddIn"/>
    </implementation>
  </component>
</components>
"""


def interface(functions: Mapping[str, Formula]) -> str:
    """The types of the functions, in the text form that the office reads without a compiler.

    An `any` may be omitted and takes a single cell as well as a range; rows come back only as a type of their own.
    """
    rows = "sequence< sequence<any> >"
    lines = "\n".join(f"    {rows} {inner_name(f.name)}({', '.join(_typed(f))});" for f in functions.values())
    module, _, name = INTERFACE.rpartition(".")
    outer, inner = module.split(".")
    return f"module {outer} {{ module {inner} {{\n  interface {name} {{\n{lines}\n  }};\n}}; }};\n"


def _typed(formula: Formula) -> Iterable[str]:
    for argument in formula.arguments:
        rest = formula.gathers and argument is formula.arguments[-1]
        yield f"[in] {'sequence<any>' if rest else 'any'} {inner_name(argument.name)}"


def configuration(functions: Mapping[str, Formula]) -> str:
    """Names, help and category of each function. By its compatibility name an .xlsx file knows it."""
    nodes = "".join(_function(f) for f in functions.values())
    return f"""{_XML}<oor:component-data xmlns:oor="http://openoffice.org/2001/registry"
    xmlns:xs="http://www.w3.org/2001/XMLSchema" oor:name="CalcAddIns" oor:package="org.openoffice.Office">
  <node oor:name="AddInInfo">
    <node oor:name="{ADD_IN}" oor:op="replace">
      <node oor:name="AddInFunctions">
{nodes}      </node>
    </node>
  </node>
</oor:component-data>
"""


def _function(formula: Formula) -> str:
    parameters = "".join(_parameter(formula, a) for a in formula.arguments)
    return f"""        <node oor:name="{inner_name(formula.name)}" oor:op="replace">
{_text("DisplayName", formula.excel_name)}{_text("Description", formula.description)}\
          <prop oor:name="Category"><value>{CATEGORY}</value></prop>
{_text("CompatibilityName", formula.excel_name)}\
          <node oor:name="Parameters">
{parameters}          </node>
        </node>
"""


def _parameter(formula: Formula, argument: Argument) -> str:
    return f"""            <node oor:name="{inner_name(argument.name)}" oor:op="replace">
{_text("DisplayName", argument.name)}{_text("Description", _help(formula, argument))}            </node>
"""


def _help(formula: Formula, argument: Argument) -> str:
    line = formula.help[argument.name]
    if argument.required or argument.default is None:
        return line
    return f"{line}; {argument.default:g} if left out"


def _text(name: str, value: str) -> str:
    return f'          <prop oor:name="{name}"><value xml:lang="en">{escape(value)}</value></prop>\n'

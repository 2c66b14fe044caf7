"""The VBA of the Excel add-in, written from the registry: a wrapper for each function, the help, the way to Python.

The interpreter and the library that starts it are written in. Nothing is ever read from the workbook that is open, from
its folder or from a configuration: whoever sends a workbook must not choose what runs.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from holdwater.formula import Argument, Formula

PYTHON, ANSWERS, FUNCTIONS, HELP = (f"Holdwater{name}" for name in ("Python", "Answers", "Functions", "Help"))
PYTHON_HALF = "holdwater.hosts.excel_udfs"
HELP_LIMIT = 255  # characters of a help text that Excel takes
CATEGORY = "Holdwater: "
_UNREACHABLE = "Excel could not start Holdwater's Python: run holdwater doctor in a terminal."

# What may not be the name of an argument.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """abs access addressof alias and any array as attribute base binary boolean byref byte byval call case cbool
        cbyte ccur cdate cdbl cdec cint circle clng clnglng clngptr close compare const csng cstr currency cvar cverr
        date debug decimal declare defbool defbyte defcur defdate defdbl defdec defint deflng deflnglng deflngptr
        defobj defsng defstr defvar dim do doevents double each else elseif empty end endif enum eqv erase error event
        exit explicit false fix for friend function get global gosub goto if imp implements in input inputb int
        integer is lbound len lenb let lib like line local lock long longlong longptr loop lset me mid mod new next
        not nothing null object on open option optional or output paramarray preserve print private property pset
        ptrsafe public put raiseevent random read redim rem reset resume return rset scale seek select set sgn shared
        single spc static step stop string sub tab then to true type typeof ubound unlock until variant wend while
        width with withevents write xor""",
    )
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that the add-in runs: its path, the folder of xlwings' library, and the version in that one's name."""

    python: str
    library_folder: str
    xlwings: str

    @property
    def command(self) -> str:
        """Neither the current folder, which may be the workbook's, nor PYTHONPATH is searched for modules (-P, -E)."""
        return f'"{self.python}" -E -P -c "import xlwings; xlwings.serve(\'$(CLSID)\')"'


def modules(functions: Mapping[str, Formula], interpreter: Interpreter) -> dict[str, str]:
    """The source of each module, by its name."""
    texts = {PYTHON: _python(interpreter), ANSWERS: _ANSWERS, FUNCTIONS: _wrappers(functions), HELP: _help(functions)}
    return {
        name: f'Attribute VB_Name = "{name}"\r\n' + text.strip("\n").replace("\n", "\r\n") + "\r\n"
        for name, text in texts.items()
    }


def _python(interpreter: Interpreter) -> str:
    declared = "\n".join(
        f"""{condition}
Private Declare PtrSafe Function Activate Lib "xlwings{bits}-{interpreter.xlwings}.dll" Alias "XLPyDLLActivateAuto" _
    (ByRef Result As Variant, ByVal Command As String, ByVal Mode As Long) As Long
Private Const LIBRARY As String = "xlwings{bits}-{interpreter.xlwings}.dll\""""
        for condition, bits in (("#If Win64 Then", 64), ("#Else", 32))
    )
    return f"""
Option Explicit
Option Private Module

Private Declare PtrSafe Function LoadLibraryW Lib "kernel32" (ByVal Path As LongPtr) As LongPtr
{declared}
#End If

Private Function LibraryPath() As String
    LibraryPath = {vba_text(interpreter.library_folder)} & "\\" & LIBRARY
End Function

Private Function StartCommand() As String
    StartCommand = {vba_text(interpreter.command)}
End Function

' The process that answers; the first call starts it, and it ends with Excel.
Public Function PythonServer() As Object
    Dim Started As Variant
    ' Loaded by its whole path before it is called: by its name alone Windows might find another beside a workbook.
    If LoadLibraryW(StrPtr(LibraryPath())) = 0 Then Err.Raise vbObjectError + 1
    If Activate(Started, StartCommand(), 1) <> 0 Then Err.Raise vbObjectError + 2
    Set PythonServer = Started
End Function
"""


_ANSWERS = f"""
Option Explicit
Option Private Module

' What a cell shows in which a function is called.
Public Function HoldwaterAnswer(ByVal FunctionName As String, ByVal Given As Variant, _
    Optional ByVal More As Variant) As Variant
    Dim Sent() As Variant
    Dim Place As Long
    Dim Last As Long
    Dim Depth As Long
    On Error GoTo Unreachable
    Last = UBound(Given) + 1
    Depth = Deepest(Given, 1)
    If IsMissing(More) Then
        Do While IsMissing(Given(Last - 1)) And Last > 1 ' what was left out at the end need not be sent
            Last = Last - 1
        Loop
    Else
        Last = Last + UBound(More) + 1
        Depth = Deepest(More, Depth)
    End If
    ReDim Sent(0 To Last)
    Sent(0) = FunctionName
    For Place = 1 To Last
        If Place <= UBound(Given) + 1 Then
            Sent(Place) = PlainValue(Depth, Given(Place - 1))
        Else
            Sent(Place) = PlainValue(Depth, More(Place - UBound(Given) - 2))
        End If
    Next Place
    HoldwaterAnswer = Shown(PythonServer().CallUDF("{PYTHON_HALF}", "answer", Sent))
    Exit Function
Unreachable:
    If FunctionName = "EXPLAIN" Then
        HoldwaterAnswer = "{_UNREACHABLE}"
    Else
        HoldwaterAnswer = CVErr(xlErrNA)
    End If
End Function

' The last row in use on the sheets of the ranges: whole columns end there, all of them, or a million blanks were sent.
Private Function Deepest(ByVal Given As Variant, ByVal AtLeast As Long) As Long
    Dim Place As Long
    Dim Area As Range
    Dim Used As Range
    Deepest = AtLeast
    For Place = LBound(Given) To UBound(Given)
        If IsObject(Given(Place)) Then
            Set Area = Given(Place)
            If Area.Rows.Count = Area.Worksheet.Rows.Count Then
                Set Used = Area.Worksheet.UsedRange
                If Used.Row + Used.Rows.Count - 1 > Deepest Then Deepest = Used.Row + Used.Rows.Count - 1
            End If
        End If
    Next Place
End Function

' Value2 has no currency and no dates, and is read at once. Of several areas all but the first would be lost.
Private Function PlainValue(ByVal Depth As Long, Optional ByVal Argument As Variant) As Variant
    Dim Area As Range
    If IsMissing(Argument) Then Exit Function
    If Not IsObject(Argument) Then
        PlainValue = Argument
        Exit Function
    End If
    Set Area = Argument
    If Area.Areas.Count > 1 Then
        PlainValue = CVErr(xlErrValue)
    ElseIf Area.Rows.Count = Area.Worksheet.Rows.Count Then
        PlainValue = Area.Resize(Depth).Value2
    Else
        PlainValue = Area.Value2
    End If
End Function

' Python sends the code of an error as a whole number, and every other number as a float.
Private Function Shown(ByVal Received As Variant) As Variant
    Dim Row As Long
    Dim Column As Long
    Select Case Dimensions(Received)
    Case 0
        Received = OneShown(Received)
    Case 1
        For Column = LBound(Received) To UBound(Received)
            Received(Column) = OneShown(Received(Column))
        Next Column
    Case Else
        For Row = LBound(Received, 1) To UBound(Received, 1)
            For Column = LBound(Received, 2) To UBound(Received, 2)
                Received(Row, Column) = OneShown(Received(Row, Column))
            Next Column
        Next Row
    End Select
    Shown = Received
End Function

Private Function OneShown(ByVal Value As Variant) As Variant
    If VarType(Value) = vbLong Then OneShown = CVErr(Value) Else OneShown = Value
End Function

Private Function Dimensions(ByVal Value As Variant) As Long
    If Not IsArray(Value) Then Exit Function
    Dimensions = 1
    On Error GoTo OnlyOne
    If UBound(Value, 2) >= LBound(Value, 2) Then Dimensions = 2
OnlyOne:
End Function

Public Sub HoldwaterRefresh(Control As IRibbonControl)
    Tell "refresh"
End Sub

Public Sub HoldwaterVerdict(Control As IRibbonControl)
    Tell "verdict"
End Sub

Private Sub Tell(ByVal Action As String)
    If ActiveWorkbook Is Nothing Then
        MsgBox "Open a workbook first.", vbExclamation, "Holdwater"
        Exit Sub
    End If
    On Error GoTo Unreachable
    MsgBox PythonServer().CallUDF("{PYTHON_HALF}", Action, Array(ActiveWorkbook)), vbInformation, "Holdwater"
    Exit Sub
Unreachable:
    MsgBox "{_UNREACHABLE}", vbExclamation, "Holdwater"
End Sub
"""


def _wrappers(functions: Mapping[str, Formula]) -> str:
    return "Option Explicit\n\n" + "\n\n".join(_wrapper(formula) for formula in functions.values())


def _wrapper(formula: Formula) -> str:
    name, plain = formula.excel_name, list(formula.arguments)
    rest = [plain.pop()] if formula.gathers else []
    declared = [f"{'' if a.required else 'Optional '}ByVal {vba_name(formula, a)} As Variant" for a in plain]
    declared += [f"ParamArray {vba_name(formula, a)}() As Variant" for a in rest]
    given = ", ".join(vba_name(formula, a) for a in plain)
    more = "".join(f", {vba_name(formula, a)}" for a in rest)
    # Excel shows this text too where it was never told the help.
    description = f'Attribute {name}.VB_Description = "{_quoted(formula.description[:HELP_LIMIT])}"'
    return (
        f"Public Function {name}({', '.join(declared)}) As Variant\n{description}\n"
        f'    {name} = HoldwaterAnswer("{name}", Array({given}){more})\nEnd Function'
    )


def vba_name(formula: Formula, argument: Argument) -> str:
    """The argument's name, as it may stand in VBA, where names differ by more than capitals."""
    name = argument.name
    return f"{name}_" if name in RESERVED or name == formula.excel_name.lower() else name


def _help(functions: Mapping[str, Formula]) -> str:
    calls = "\n".join(f"    Describe{n}" for n in range(1, len(functions) + 1))
    subs = "\n\n".join(_described(n, f) for n, f in enumerate(functions.values(), start=1))
    return f"""
Option Explicit

Public Sub Auto_Open()
    DescribeAll
End Sub

' Excel takes help only while a workbook is open, and none is when the add-in opens.
Public Sub DescribeAll()
    If ActiveWorkbook Is Nothing Then
        Application.OnTime Now + TimeSerial(0, 0, 5), "'" & ThisWorkbook.Name & "'!DescribeAll"
        Exit Sub
    End If
    On Error Resume Next ' a function without its help still computes
{calls}
End Sub

Private Sub Describe(ByVal Name As String, ByVal Category As String, ByVal Text As String, ByVal Texts As Variant)
    Application.MacroOptions Macro:="'" & ThisWorkbook.Name & "'!" & Name, Description:=Text, Category:=Category, _
        ArgumentDescriptions:=Texts
End Sub

{subs}
"""


def _described(number: int, formula: Formula) -> str:
    texts = ", _\n        ".join(vba_text(argument_help(formula, a)) for a in formula.arguments)
    return (
        f'Private Sub Describe{number}()\n    Describe "{formula.excel_name}", '
        f"{vba_text(CATEGORY + formula.category)}, _\n        {vba_text(formula.description[:HELP_LIMIT])}, _\n"
        f"        Array({texts})\nEnd Sub"
    )


def argument_help(formula: Formula, argument: Argument) -> str:
    """Its line of help, with what it is if left out."""
    line = formula.help[argument.name]
    if not argument.required and argument.default is not None:
        line = f"{line}; {argument.default:g} if left out"
    return line[:HELP_LIMIT]


def vba_text(text: str) -> str:
    """A VBA expression for any text: a module keeps only the letters of one code page, so others go by their number."""
    pieces = [
        f'"{_quoted(part)}"' if index % 2 == 0 else " & ".join(f"ChrW({unit})" for unit in _units(part))
        for index, part in enumerate(re.split("([^ -~]+)", text))
        if part
    ]
    return " & ".join(pieces) or '""'


def _units(text: str) -> tuple[int, ...]:
    encoded = text.encode("utf-16-le")
    return struct.unpack(f"<{len(encoded) // 2}H", encoded)


def _quoted(text: str) -> str:
    return text.replace('"', '""')

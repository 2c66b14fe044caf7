"""A formula's Python source becomes other notations: Excel expressions, LAMBDA text.

Everything here is derived from the one definition; what cannot be translated is refused with its line number.
"""

from holdwater.translate.excel import Ref, expression, plain
from holdwater.translate.lambdas import lambda_text
from holdwater.translate.read import CannotTranslateError

__all__ = ["CannotTranslateError", "Ref", "expression", "lambda_text", "plain"]

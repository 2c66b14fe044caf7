"""The programs that formulas are typed into: what each needs, made from the one registry."""

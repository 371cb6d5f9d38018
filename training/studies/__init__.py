"""Questions asked of a model, each with a record of the answer and tables of it.

A study is a module with ``run(data, model, **options) -> record``, ``tables(record)`` and, where it
has bars, ``faults(record)``: a line for each that is not kept. A folder's is its ``study.py``.
"""

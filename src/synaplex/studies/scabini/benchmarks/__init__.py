"""Several datasets side by side: the paper's four benchmarks, their vocabularies held against each other (table 2).

`benchmark` reads what the study of one dataset has left; `divergence` and `transfer` compare, `claims` states what
holds of all, `results_page` is the page of the documentation.
"""

from __future__ import annotations

"""Parents left out after a look at the contact sheets; no program sees these things."""

from __future__ import annotations

#: Children.
EXCLUDED_PARENTS = frozenset({"celeba-2753", "celeba-7349", "celeba-7359"})

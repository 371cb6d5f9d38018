"""Parents left out after a look at the contact sheets; no program sees these things."""

from __future__ import annotations

#: Children, caps with lettering or emblems, captions and an agency's mark across a face.
EXCLUDED_PARENTS = frozenset(
    {
        "celeba-2753",
        "celeba-7205",
        "celeba-7235",
        "celeba-7242",
        "celeba-7307",
        "celeba-7348",
        "celeba-7349",
        "celeba-7359",
        "celeba-7425",
        "celeba-7453",
        "celeba-7471",
    }
)

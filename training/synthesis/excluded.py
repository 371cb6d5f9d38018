"""Parents left out after a look at the contact sheets; no program sees these things."""

from __future__ import annotations

#: Children, caps with lettering, a photo agency's mark across a face.
EXCLUDED_PARENTS = frozenset(
    {
        "celeba-2753",
        "celeba-7205",
        "celeba-7242",
        "celeba-7348",
        "celeba-7349",
        "celeba-7359",
        "celeba-7471",
    }
)

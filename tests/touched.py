"""What of a page a finger does not find."""

import json

from chromium import Page

FINGER = 44
TOUCHED = """
  button, select, textarea, summary, a.button, a.tile, nav a, .top > a, label:has(> [type="radio"]),
  label.mark, input:not([type="radio"], label.mark input)
"""
"""What is touched; a link in a text is not asked to be that large."""


def on_a_phone(page: Page) -> list[str]:
    """What is too small for a finger, and tables of which a part is not to be seen."""
    small = (
        f"[...document.querySelectorAll({json.dumps(TOUCHED)})]"
        ".filter((one) => one.checkVisibility() && !one.closest('.skip'))"
        ".map((one) => [one, one.getBoundingClientRect()])"
        f".filter(([, {{ width, height }}]) => width < {FINGER} || height < {FINGER})"
    )
    wide = (
        "[...document.querySelectorAll('.scroll')]"
        ".filter((one) => one.scrollWidth > one.clientWidth)"
    )
    told = "`${one.outerHTML.slice(0, 90)} ${box.width}x${box.height}`"
    found = page.run(
        f"[...{small}.map(([one, box]) => {told}), ...{wide}.map((one) => one.ariaLabel)]"
    )
    return [str(one) for one in found]

"""What every page of ours is: readable in any light and width, and asking nobody else."""

from __future__ import annotations

from tests.browser import Browser

CONTRASTS = """
const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const found = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || element.tagName === "SCRIPT") continue;
  const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) found.push(`${element.tagName} ${element.textContent}: ${ratio}`);
}
return found;
"""


def show(browser: Browser, *, width: int, dark: bool) -> None:
    """Make the screen so wide, and the system's colours light or dark."""
    browser.command(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=width < 500,
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.command("Emulation.setEmulatedMedia", features=[scheme])


def check_page(browser: Browser, title: str, width: int) -> None:
    """The page that is open."""
    assert browser.text("h1") == title
    assert browser.title.startswith(title)
    assert browser.run("return document.documentElement.lang") == "en"
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.run(CONTRASTS) == []
    assert browser.run("return performance.getEntriesByType('resource').map((e) => e.name)") == []
    assert browser.count("img, iframe") == 0
    assert [text for text in browser.complaints() if "status of" not in text] == []


def check_names(browser: Browser) -> None:
    """Every field of the page that is open has a label, and every id is one element's."""
    unnamed = (
        "return [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
        ".filter((e) => !e.labels.length).map((e) => e.name)"
    )
    assert browser.run(unnamed) == []
    twice = (
        "const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);"
        "return ids.filter((one, at) => ids.indexOf(one) !== at)"
    )
    assert browser.run(twice) == []

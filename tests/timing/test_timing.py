"""The time of a refusal reveals nothing: neither how much of a password is
correct, nor whether the application exists."""

import re
import subprocess

import pytest

from lib.case import Case
from lib.places import ROOT

TIMING = ROOT / "build" / "timing"
# Medians of thousands of alternate runs differ by less than 1 %, those of a
# comparison that stops at the first difference by 5 %.
BOUND = 0.02
ATTEMPTS = 6

COMPARISONS = re.compile(
    r"\b(\w*(?:mem|str\w*|b)cmp|crypto_verify_\w+|slice_equal\w*"
    r"|slice_starts_with|slice_take)\s*\(([^;]*)")


def medians():
    """{pair: (first, second)} in nanoseconds."""
    lines = subprocess.run([TIMING], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    return {name: (float(a), float(b)) for name, a, b in
            (line.split() for line in lines)}


def difference(pair):
    return abs(pair[0] - pair[1]) / min(pair)


class Timing(Case):
    def test_no_pair_of_requests_can_be_told_apart(self):
        # A real difference shows every time; noise does not.
        open_pairs, seen = None, []
        for _ in range(ATTEMPTS):
            measured = medians()
            seen.append(measured)
            control = difference(measured.pop("control"))
            if control <= BOUND:
                continue  # too noisy to show anything
            differing = {name for name, pair in measured.items()
                         if difference(pair) > BOUND}
            open_pairs = differing if open_pairs is None \
                else open_pairs & differing
            if not open_pairs:
                return
        pytest.fail(f"told apart by time: {open_pairs}: {seen}")


def without_comments(path):
    text = path.read_text()
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


class Text(Case):
    def test_secrets_are_compared_in_constant_time_only(self):
        """Only basic_auth.c looks into secrets; everything else calls it."""
        inside = re.compile(r"(?:->|\.)(?:bytes|len)\b|struct secret\b")
        basic_auth = without_comments(ROOT / "src" / "auth" / "basic_auth.c")
        compared = [m[1] for m in COMPARISONS.finditer(basic_auth)
                    if inside.search(m[2])]
        assert compared == ["crypto_verify_64"]
        assert "different = a->len ^ b->len;" in basic_auth
        assert not re.search(r"(?:->|\.)bytes\[", basic_auth)

    def test_nobody_else_looks_into_a_secret(self):
        """The only comparisons in credentials.c are of names and of users."""
        text = without_comments(ROOT / "src" / "auth" / "credentials.c")
        found = sorted((m[1], m[2].split(",")[0].strip()) for m in
                       COMPARISONS.finditer(text))
        assert found == [
            ("crypto_verify_64", "(const unsigned char *)found->name"),
            ("slice_equal", "user")]
        for path in sorted((ROOT / "src").rglob("*.c")):
            if path.name not in ("basic_auth.c", "credentials.c"):
                assert not re.search(r"\bstruct secret\b|credentials\[[^]]*\]\.(bytes|len)", without_comments(path)), \
                    path.name

    def test_signatures_are_compared_in_constant_time_only(self):
        text = without_comments(ROOT / "src" / "statsd" / "signature.c")
        assert [m[1] for m in COMPARISONS.finditer(text)] == ["sodium_memcmp"]

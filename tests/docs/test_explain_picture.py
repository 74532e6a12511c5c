"""The picture of --explain in the README is what the program prints today."""

import explain_picture
from lib.places import ROOT


def test_it_is_what_the_program_prints():
    assert explain_picture.PICTURE.read_text() == explain_picture.svg(), \
        "make docs/images/explain.svg draws it anew"


def test_it_is_in_the_readme():
    name = explain_picture.PICTURE.relative_to(ROOT)
    assert f"]({name})" in (ROOT / "README.md").read_text()

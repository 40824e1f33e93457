"""The files of conf-examples/portcullis, as their cases had them: the dates, which are
comments in them so that a copy refuses nobody, are in force."""

import re

from mailhost import EXAMPLES

PATHS = {path.stem.removeprefix("case-"): path for path in EXAMPLES.glob("portcullis/case-*.conf")}


def dated(case):
    """The text of case "a" to "e"."""
    text = PATHS[case].read_text()
    # Where the case began to observe on a day, it does so instead of always.
    text = re.sub(r'^ +observe *= "always"\n(?= +#observe )', "", text, flags=re.MULTILINE)
    return re.sub(r"^( +)#(\w+ *= )", r"\1\2", text, flags=re.MULTILINE)

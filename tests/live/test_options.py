# SPDX-License-Identifier: Apache-2.0
"""The rows of options as a whole."""
import collections
import re


def test_no_two_options_share_a_key_or_a_letter(immure):
    text = immure.run("help", "run").stdout
    keys = re.findall(r"^  (?:-\S, |    )--([a-z0-9-]+)", text, re.MULTILINE)
    letters = re.findall(r"^  -(\S), ", text, re.MULTILINE)
    assert len(keys) > 40 and len(letters) > 3
    for words in (keys, letters):
        assert [word for word, count in collections.Counter(words).items() if count > 1] == []

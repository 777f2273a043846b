# SPDX-License-Identifier: Apache-2.0
"""An honest program: it counts the words of a text and uses some threads, a temporary file and a subprocess."""

import collections
import concurrent.futures
import subprocess
import sys
import tempfile


def count(text):
    return collections.Counter(word.strip(".,;:()'\"").lower() for word in text.split())


text = open(sys.argv[1], encoding="utf-8").read()
parts = [text[start:start + 4096] for start in range(0, len(text), 4096)]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    total = sum(pool.map(count, parts), collections.Counter())
with tempfile.NamedTemporaryFile("w+", suffix=".txt") as file:
    file.write("\n".join(f"{number} {word}" for word, number in total.most_common(200)))
    file.flush()
    lines = subprocess.run(["sort", "-rn", file.name], capture_output=True, text=True, check=True).stdout.splitlines()
print("most frequent words:", ", ".join(line.split()[1] for line in lines[:5]))

# SPDX-License-Identifier: Apache-2.0
"""--full: every call of set-up with every fault, some minutes; without it each kind of call once and a sample of the rest."""


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="every call, not a sample")

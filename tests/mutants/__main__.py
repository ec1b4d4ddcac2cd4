"""`python -m tests.mutants [SERVICE…]`: breaks the rules one by one and asks whether the tests notice.

One line per mutant: caught by which test, or SURVIVED. Ends with 1 where one survived or could not be tried (its text has
changed, or the tests do not run with it), with 2 where a test fails without any mutant.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from tests.mutants.lists import LISTS
from tests.mutants.runner import AlreadyFailing, run

ROOT = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=f"{', '.join(LISTS)}; none: all")
    parser.add_argument("--file", default="", help="only mutants of files with this in their path")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.services) - set(LISTS):
        parser.error(f"no list of {', '.join(sorted(unknown))}")
    chosen = [(service, m) for service in asked.services or LISTS for m in LISTS[service] if asked.file in m.file]
    counts: Counter[tuple[str, str]] = Counter()
    try:
        for (service, mutant), outcome in zip(chosen, run(ROOT, [m for _, m in chosen]), strict=True):
            counts[service, outcome.state] += 1
            print(f"{service:<10}{outcome.state:<9} {mutant.name}  ·  {outcome.by.rpartition('/')[2] or mutant.file}", flush=True)
    except AlreadyFailing as failing:
        print(f"without any mutant: {failing}", file=sys.stderr)
        return 2
    for service in dict.fromkeys(service for service, _ in counts):
        print(service, ", ".join(f"{n} {state}" for (of, state), n in sorted(counts.items()) if of == service), sep=": ")
    return 0 if all(state == "caught" for _, state in counts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

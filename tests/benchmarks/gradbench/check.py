"""Runs the reference calls, and compares outputs; also sees to it that what cannot be used is refused."""

import argparse
import gzip
import json
import pathlib
import subprocess
import tempfile

# Of |a - b| / max(1, |a| + |b|), where GradBench allows 1e-4.
TOLERANCE = 1e-10


def distance(a, b):
    """The largest such difference of the numbers in two JSON values; infinite unless they are built alike."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return max(distance(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return max((distance(x, y) for x, y in zip(a, b)), default=0)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        difference = abs(a - b) / max(1, abs(a) + abs(b))
        return difference if difference == difference else float("inf")
    return float("inf")


class Checker:
    def __init__(self, command, folder):
        self.command = command
        self.file = pathlib.Path(folder) / "input.json"
        self.failures = []

    def require(self, condition, what):
        if not condition:
            self.failures.append(what)

    def run(self, call, content, function):
        self.file.write_text(content)
        command = [word.replace("EVAL", call["eval"]) for word in self.command]
        return subprocess.run([*command, self.file, function], capture_output=True, text=True)

    def check(self, call):
        """How far the output is from the reference."""
        name = "{eval} {size} {function}".format(**call)
        result = self.run(call, json.dumps(call["input"]), call["function"])
        self.require(result.returncode == 0, f"{name}: status {result.returncode}, {result.stderr.strip()}")
        if result.returncode != 0:
            return float("inf")
        output, *times = map(json.loads, result.stdout.splitlines())
        names = [time["name"] for time in times]
        self.require(names[:2] == ["prepare", "evaluate"], f"{name}: times are called {names}")
        self.require(all(time["nanoseconds"] >= 0 for time in times), f"{name}: a time is negative")
        off = distance(output, call["output"])
        self.require(off <= TOLERANCE, f"{name}: off by {off:.1e}")
        return off

    def check_runs(self, call):
        """That a function runs as often and as long as it is asked to."""
        for key, value in ("min_runs", 7), ("min_seconds", 0.05):
            result = self.run(call, json.dumps({**call["input"], key: value}), call["function"])
            times = [json.loads(line)["nanoseconds"] for line in result.stdout.splitlines()[2:]]
            reached = len(times) if key == "min_runs" else sum(times) / 1e9
            self.require(reached >= value, f"{call['eval']}: {key} of {value}, and it stopped at {reached}")

    def check_vertices(self, call):
        """That a hand's point at the first corner of a triangle is where that corner is as a vertex."""
        triangles = call["input"]["data"]["model"]["triangles"]
        corners = [triangles[triangle][0] for triangle in call["input"]["data"]["correspondences"]]
        at_corners = {**call["input"], "us": [[1, 0] for _ in corners]}
        at_vertices = {**call["input"], "us": [], "data": {**call["input"]["data"], "correspondences": corners}}
        outputs = []
        for content in at_corners, at_vertices:
            result = self.run(call, json.dumps(content), call["function"])
            outputs.append(json.loads(result.stdout.splitlines()[0]))
        if call["function"] == "jacobian":
            outputs[0] = [row[2:] for row in outputs[0]]
        off = distance(*outputs)
        self.require(off <= TOLERANCE, f"{call['eval']}: a vertex and a corner are off by {off:.1e}")

    def check_refusals(self, call):
        known = call["function"]
        for content, function in (json.dumps(call["input"]), "nonsense"), ("{}", known), ("[1, ", known), ("", known):
            result = self.run(call, content, function)
            self.require(
                result.returncode == 1 and result.stderr and not result.stdout,
                f"{call['eval']}: function {function}, input {content[:20]!r}: status {result.returncode}",
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("references", help="lines of JSON, compressed")
    parser.add_argument("command", nargs="+", help="of the programs; EVAL in it stands for the name of the eval")
    parser.add_argument("--only", nargs="+", help="such calls as lse/gradient")
    arguments = parser.parse_args()
    with gzip.open(arguments.references, "rt") as file:
        calls = [json.loads(line) for line in file]
    if arguments.only:
        calls = [call for call in calls if "{eval}/{function}".format(**call) in arguments.only]
    worst = {}
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(arguments.command, folder)
        for call in calls:
            if call["eval"] not in worst:
                checker.check_refusals(call)
                if isinstance(call["input"], dict):
                    checker.check_runs(call)
            if call["eval"] == "ht":
                checker.check_vertices(call)
            worst[call["eval"]] = max(worst.get(call["eval"], 0), checker.check(call))
    for name, off in worst.items():
        print(f"{name}: off by at most {off:.1e}")
    print(*checker.failures, sep="\n")
    return 1 if checker.failures or not calls else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Measures the programs beside the baseline on generated inputs, one thread, and prints their ratios beside those of other
tools."""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

SIZES = ("small", "medium", "large")


def uniform(generator, *shape):
    if not shape:
        return generator.random()
    return [uniform(generator, *shape[1:]) for _ in range(shape[0])]


def normal(generator, *shape):
    if not shape:
        return generator.gauss(0, 1)
    return [normal(generator, *shape[1:]) for _ in range(shape[0])]


def gmm(g, d, k):
    parameters = {"alpha": normal(g, k), "mu": uniform(g, k, d), "q": normal(g, k, d), "l": normal(g, k, d * (d - 1) // 2)}
    return {"d": d, "k": k, "n": 1000, "m": 0, "gamma": 1.0, "x": normal(g, 1000, d), **parameters}


def kmeans(g, k, n, d):
    # Each centroid has a point of its own that is nearest to it, as the definition asks.
    points = uniform(g, n, d)
    return {"points": points, "centroids": points[:k]}


def lse(g, n):
    return {"x": uniform(g, n)}


def llsq(g, n):
    return {"x": uniform(g, 128), "n": n}


def ode(g, n):
    return {"x": uniform(g, n), "s": 10}


def lstm(g, l, c, b=14):
    parameters = {"main_params": uniform(g, 2 * l, 4 * b), "extra_params": uniform(g, 3, b)}
    return {**parameters, "state": uniform(g, 2 * l, b), "sequence": uniform(g, c, b)}


def ba(g, n, m, p):
    camera = normal(g, 3) + normal(g, 3) + [430.0 + g.random(), *normal(g, 2), 0.06, 0.004]
    return {"n": n, "m": m, "p": p, "cam": camera, "x": [3 + x for x in normal(g, 3)], "w": g.random(), "feat": normal(g, 2)}


# The eval, its function here, the baseline's, the arguments of the three sizes, and the ratios that others were measured at.
EVALS = [
    (gmm, "jacobian", "jacobian", [(2, 5), (20, 25), (64, 50)], {"CoDiPack": (2.4, 6.6, 21), "PyTorch": (7.9, 1.3, 2.4)}),
    (kmeans, "dir", "dir", [(10, 1000, 8), (100, 10000, 8), (1000, 10000, 16)],
     {"CoDiPack": (22, 34, 249), "PyTorch": (10, 9.3, 13)}),
    (lse, "gradient", "gradient", [(2500,), (40000,), (1280000,)], {"CoDiPack": (3.2, 5.0, 3.7), "PyTorch": (4.8, 1.5, 2.2)}),
    (llsq, "gradient", "gradient", [(16,), (512,), (16392,)], {"CoDiPack": (3.4, 3.5, 4.3), "PyTorch": (10, 1.2, 1.5)}),
    (ode, "gradient", "primal", [(1000,), (10000,), (100000,)], {"CoDiPack": (13, 7.3, 4.2), "PyTorch": (91, 12, 7.3)}),
    (lstm, "jacobian", "jacobian", [(2, 1024), (4, 4096), (6, 8192)],
     {"CoDiPack": (0.35, 0.23, 0.27), "PyTorch": (64, 30, 20)}),
    (ba, "jacobian", "jacobian", [(49, 7776, 31843), (257, 65132, 225911), (1197, 126327, 563734)],
     {"CoDiPack": (2.9, 2.1, 3.0), "PyTorch": (8.8, 7.2, 8.7)}),
]


def least(command, file, function):
    """The least time of an evaluation, in nanoseconds; of hundreds, the hundredth part is left out: a virtual machine's clock
    of the processor sometimes stands still."""
    result = subprocess.run([*command, file, function], stdout=subprocess.PIPE, text=True, check=True)
    times = sorted(json.loads(line)["nanoseconds"] for line in result.stdout.splitlines()[2:])
    return times[len(times) // 100]


def figure(ratio):
    return f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="where the programs are")
    parser.add_argument("evals", nargs="*", help="which, if not all")
    parser.add_argument("--repetitions", type=int, default=3, help="of both programs, in turn; the least time is taken")
    parser.add_argument("--seconds", type=float, default=0.5, help="that a program repeats its evaluation for")
    arguments = parser.parse_intermixed_args()

    print("| eval | size | ours, ms | by hand, ms | ratio | CoDiPack | PyTorch |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "input.json"
        for make, ours, by_hand, sizes, others in EVALS:
            name = make.__name__
            if arguments.evals and name not in arguments.evals:
                continue
            for index, size in enumerate(sizes):
                content = make(random.Random(index), *size)
                file.write_text(json.dumps({**content, "min_runs": 5, "min_seconds": arguments.seconds}))
                times = {"ours": [], "by_hand": []}
                for _ in range(arguments.repetitions):
                    times["ours"].append(least([arguments.folder / name], file, ours))
                    times["by_hand"].append(least([arguments.folder / "baseline", name], file, by_hand))
                mine, theirs = min(times["ours"]), min(times["by_hand"])
                cells = [name, f"{SIZES[index]}: {', '.join(map(str, size))}", f"{mine / 1e6:.4g}", f"{theirs / 1e6:.4g}",
                         f"**{figure(mine / theirs)}**", *(figure(ratios[index]) for ratios in others.values())]
                print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()

"""Print every measurement beside its target; exit with 1 if one is missed.

`python -m benchmarks` runs all parts, `python -m benchmarks demand large` those named: see PARTS.
"""

import sys
import warnings

from benchmarks import blp, blp_large, blp_profile, zurcher
from benchmarks.coverage import coverage
from benchmarks.startup import startup
from compecon._options import one_of

TIME_LIMIT, MEMORY_LIMIT = 150, 110
# An evaluation may take so many times longer where there are eight times as many markets or agents.
GROWTH_LIMIT = 12.0
LARGE_SIZE, LARGE_MEMORY, LARGE_DISTANCE = (2000, 50, 500), 2.0, 2.0


def verdict(met):
    """The word at the end of a line."""
    return "met" if met else "MISSED"


def rust():
    """The structured solver against dense matrices, its growth and its profile; returns how many targets are missed."""
    missed = 0
    print("Rust: dense Newton (LAPACK) against the structured solver, discount 0.9999; fastest of repeated calls")
    for rows in (zurcher.solve_ratios(), zurcher.estimate_ratios()):
        for name, dense, ours, floor in rows:
            ratio = dense / ours
            missed += ratio < floor
            times = f"{1e3 * dense:10.3f} ms {1e3 * ours:9.3f} ms"
            print(f"  {name:<18}{times} {ratio:8.1f} x   floor {floor:4d}  {verdict(ratio >= floor)}")
    seconds, memory = zurcher.growth()
    missed += (seconds > TIME_LIMIT) + (memory > MEMORY_LIMIT)
    print("\nFrom n = 1,000 to n = 100,000")
    print(f"  time    {seconds:6.0f} x   limit {TIME_LIMIT}  {verdict(seconds <= TIME_LIMIT)}")
    print(f"  memory  {memory:6.0f} x   limit {MEMORY_LIMIT}  {verdict(memory <= MEMORY_LIMIT)}")
    print("\nWhere a solution's time goes, n = 1,000: one Newton step, microseconds")
    for name, microseconds in zurcher.profile(1000):
        print(f"  {name:<36}{microseconds:8.2f}")
    return missed


def demand():
    """BLP against pyblp: speed, searches, the ordinary bootstrap; returns how many floors are missed."""
    rows, searches, (resampling, failed) = blp.compare()
    missed = 0
    print("BLP: pyblp against this library on the cereal problem")
    for name, slow, fast, aim, floor in rows:
        ratio = slow / fast
        missed += ratio < floor
        times = f"{slow:8.3f} s {1e3 * fast:9.2f} ms {ratio:8.1f} x"
        print(f"  {name:<36}{times}   aim {aim:3d}, floor {floor:3d}  {verdict(ratio >= floor)}")
    for name, (evaluations, gradient) in searches.items():
        print(f"  {name}: {evaluations} evaluations, gradient {gradient:.1e}")
    (many, large), (few, small) = searches["BFGS"], searches["Gauss-Newton"]
    met = 3 * few <= many and small < large
    print(f"  Gauss-Newton: at most a third of the evaluations and a smaller gradient  {verdict(met)}")
    limit = rows[0][1]
    what = f"{blp.SAMPLES} samples of the ordinary bootstrap ({failed} failed)"
    print(f"  {what}: {resampling:.2f} s, limit one pyblp solve  {verdict(resampling < limit)}")
    return missed + (not met) + (resampling >= limit)


def demand_profile():
    """What bounds the speed of BLP; there is no target."""
    rows, (total, alone, shared) = blp_profile.profile()
    print("Where a BLP evaluation's time goes: one cereal market (24 products, 20 agents, 13 parameters), microseconds")
    for name, microseconds, calls in rows:
        print(f"  {name:<38}{microseconds:8.2f} x {calls:.1f}")
    print(f"  {'all markets, the parts above':<38}{total:8.0f}")
    print(f"  {'one evaluation, one thread':<38}{alone:8.0f}")
    print(f"  {'one evaluation, as it is':<38}{shared:8.0f}")
    return 0


def large():
    """A problem too large to hold at once, and growth; returns how many targets are missed."""
    missed = 0
    print("How the time of BLP grows")
    for name, ratio in blp_large.growth():
        missed += ratio > GROWTH_LIMIT
        print(f"  {name:<16}{ratio:6.1f} x   limit {GROWTH_LIMIT:.0f}  {verdict(ratio <= GROWTH_LIMIT)}")
    print("\nBLP, {:,} markets x {} products x {} agents, simulated, one-step GMM by Gauss-Newton".format(*LARGE_SIZE))
    found = blp_large.in_fresh_process(*LARGE_SIZE)
    print(f"  simulated in {found.simulating:.1f} s")
    print(f"  estimated in {found.solving:.1f} s, {found.evaluations:.0f} evaluations and the Hessian")
    targets = (
        (f"converged: {'yes' if found.converged else 'no'}", found.converged == 1),
        (f"largest distance from the truth {found.distance:.2f} standard errors", found.distance <= LARGE_DISTANCE),
        (f"memory {found.memory:.2f} GiB", found.memory < LARGE_MEMORY),
    )
    for what, met in targets:
        print(f"  {what}  {verdict(met)}")
    return missed + sum(not met for _, met in targets)


def start():
    """What a user waits for first; returns how many limits are passed."""
    missed = 0
    print("From a fresh interpreter, seconds")
    for name, taken, limit in startup():
        missed += taken > limit
        print(f"  {name:<32}{taken:6.2f}   limit {limit:4.1f}  {verdict(taken <= limit)}")
    return missed


def recovery():
    """Coverage of intervals on simulated panels; there is no target."""
    print("Coverage of 95% intervals, 200 simulated panels of 60 buses and 120 months; bias in standard deviations")
    print(coverage().round(3).to_string())
    return 0


PARTS = {part.__name__: part for part in (rust, demand, demand_profile, large, start, recovery)}


def main(names=()):
    """Run the parts named, or all of them, in order."""
    missed = 0
    for name in names or PARTS:
        missed += PARTS[one_of(name, PARTS, "part")]()
        print(flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main(sys.argv[1:]))

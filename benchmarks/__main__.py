"""Print every measurement beside its target; exit with 1 if one is missed."""

import sys

from benchmarks.coverage import coverage
from benchmarks.startup import startup
from benchmarks.zurcher import estimate_ratios, growth, profile, solve_ratios

TIME_LIMIT, MEMORY_LIMIT = 150, 110


def verdict(met):
    """The word at the end of a line."""
    return "met" if met else "MISSED"


def main():
    missed = 0
    print("Dense Newton (LAPACK) against the structured solver, discount 0.9999; fastest of repeated calls")
    for rows in (solve_ratios(), estimate_ratios()):
        for name, dense, ours, floor in rows:
            ratio = dense / ours
            missed += ratio < floor
            times = f"{1e3 * dense:10.3f} ms {1e3 * ours:9.3f} ms"
            print(f"  {name:<18}{times} {ratio:8.1f} x   floor {floor:4d}  {verdict(ratio >= floor)}")
    seconds, memory = growth()
    missed += seconds > TIME_LIMIT or memory > MEMORY_LIMIT
    print("\nFrom n = 1,000 to n = 100,000")
    print(f"  time    {seconds:6.0f} x   limit {TIME_LIMIT}  {verdict(seconds <= TIME_LIMIT)}")
    print(f"  memory  {memory:6.0f} x   limit {MEMORY_LIMIT}  {verdict(memory <= MEMORY_LIMIT)}")
    print("\nWhere a solution's time goes, n = 1,000: one Newton step, microseconds")
    for name, microseconds in profile(1000):
        print(f"  {name:<36}{microseconds:8.2f}")
    print("\nFrom a fresh interpreter, seconds")
    for name, taken, limit in startup():
        missed += taken > limit
        print(f"  {name:<32}{taken:6.2f}   limit {limit:4.1f}  {verdict(taken <= limit)}")
    print("\nCoverage of 95% intervals, 200 simulated panels of 60 buses and 120 months; bias in standard deviations")
    print(coverage().round(3).to_string())
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m compecon`: Rust's (1987) Table IX and the cereal estimates, computed and set beside what was printed."""

import sys

from compecon.blp.replication import replicate_cereal, significant
from compecon.zurcher.replication import MARKS, replicate_table, side_by_side

_LEGEND = {
    "follows": "follows from another printed entry",
    "last digit": "differs in the last printed digit (mostly cut off instead of rounded)",
}


def rust():
    """Print the table, a legend and the evidence for misprints; return whether an entry differs without a reason."""
    comparison = replicate_table("IX")
    print("Rust (1987), Table IX: 90 states, linear cost; columns are bus groups, cells are printed | computed\n")
    print(side_by_side(comparison).to_string())
    counts = comparison["verdict"].value_counts()
    print(f"\n{counts.get('same', 0)} of {len(comparison)} entries agree to every printed digit. The others:")
    for verdict, mark in MARKS.items():
        if verdict in counts:
            print(f"  {mark} {counts[verdict]} {_LEGEND.get(verdict, verdict)}")
    for row in comparison[comparison["verdict"].isin(["misprint", "follows"])].itertuples():
        where = f"{row.entry} {row.statistic}" if row.entry != row.statistic else row.entry
        print(f"    {row.printed}, {where}, groups {row.sample}, discount {row.discount:g}: {row.note}")
    return "differs" in counts


def cereal():
    """Print the estimates and a merger; return whether a number differs."""
    comparison = replicate_cereal()
    comparison["cell"] = [
        f"{row.tutorial:>9} {row.reference:>11} | {significant(row.computed)}{'' if row.same else ' !'}".ljust(37)
        for row in comparison.itertuples()
    ]
    estimates, merger = comparison[comparison["statistic"] != "mean"], comparison[comparison["statistic"] == "mean"]
    wide = estimates.pivot(index="entry", columns="statistic", values="cell").loc[estimates["entry"].unique()]
    print("\n\nNevo's (2000) demand for cereals, one-step GMM with robust standard errors. The data are simulated.")
    print("Cells are what pyblp's tutorial prints, what pyblp 1.3.0 finds at a gradient below 1e-9 | computed\n")
    print(wide.rename_axis(index=None, columns=None).to_string(justify="left"))
    print("\nFirm 1 buys firm 2; means over products or markets, prices and surplus in dollars per serving\n")
    print(merger.set_index("entry")["cell"].rename_axis(None).to_string())
    same = comparison["same"]
    print(f"\n{same.sum()} of {same.size} numbers agree to every printed digit; one that does not is marked !.")
    return not same.all()


def main():
    """Print both comparisons; return 1 if a number differs from a printed one without a reason, else 0."""
    return int(any([rust(), cereal()]))


if __name__ == "__main__":
    sys.exit(main())

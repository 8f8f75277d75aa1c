"""`python -m compecon`: Rust's (1987) Table IX, estimated from the shipped data and set beside what was printed."""

import sys

from compecon.zurcher.replication import MARKS, replicate_table, side_by_side

_LEGEND = {
    "follows": "follows from another printed entry",
    "last digit": "differs in the last printed digit (mostly cut off instead of rounded)",
}


def main():
    """Print the table, a legend and the evidence for every misprint; return 1 if an entry differs without a reason."""
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
    return int("differs" in counts)


if __name__ == "__main__":
    sys.exit(main())
